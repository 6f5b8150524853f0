"""Python packages that Slicer lacks: asked for once, with their size, and never installed unasked.

``ensure`` is called when a button is pressed that needs them. Nothing is imported here: whether a
package is there is looked up, and torch comes through the PyTorch extension, which knows the
graphics card.
"""

# ruff: noqa: N802 - camel case is what Slicer calls and how its modules read
import importlib.metadata
import importlib.util
import subprocess
from dataclasses import dataclass

import slicer
import slicer.util
from slicer.i18n import tr as _


@dataclass(frozen=True)
class Package:
    """A package that Slicer does not bring.

    Attributes:
        module: the name to import.
        requirement: what pip is asked for.
        size: of what is downloaded, for people.
    """

    module: str
    requirement: str
    size: str


TORCH = Package("torch", "torch", "200 MB to 3 GB")
PACKAGES = {
    one.module: one
    for one in (
        TORCH,
        Package("h5py", "h5py", "5 MB"),
        Package("safetensors", "safetensors", "1 MB"),
        Package("tqdm", "tqdm", "1 MB"),
        Package("PIL", "pillow", "7 MB"),
        Package("pydicom", "pydicom", "3 MB"),
        Package("matplotlib", "matplotlib", "10 MB"),
        Package("sklearn", "scikit-learn", "10 MB"),
        Package("skimage", "scikit-image", "15 MB"),
        Package("cv2", "opencv-python-headless", "50 MB"),
        Package("jinja2", "jinja2", "1 MB"),
    )
}

SEGMENTS = ("h5py", "tqdm")
"""What extraction needs, which writes segment sets."""
MODELS = (*SEGMENTS, "torch", "safetensors", "PIL")
"""What training and generation need."""
EVALUATION = (*MODELS, "matplotlib", "sklearn", "cv2", "jinja2")
"""What an evaluation needs."""


def missing(modules: tuple[str, ...]) -> list[Package]:
    """Give the packages that are not installed."""
    return [PACKAGES[name] for name in modules if importlib.util.find_spec(name) is None]


def absence(modules: tuple[str, ...]) -> str:
    """Say which packages are not installed, for a test that is skipped without them."""
    names = ", ".join(one.requirement for one in missing(modules))
    return f"{names} are not installed in this Slicer"


def ensure(modules: tuple[str, ...], requester: str) -> None:
    """Install what is missing, if the user agrees; comes back when all are there.

    Args:
        modules: names to import, of ``PACKAGES``.
        requester: who needs them, for the question.

    Raises:
        BadInputError: if the user declined, or the PyTorch extension is needed and not there.
    """
    from SkullGANLib.errors import BadInputError

    lacking = missing(modules)
    if not lacking:
        return
    named = "\n".join(f"  {one.requirement} ({one.size})" for one in lacking)
    agreed = slicer.util.confirmOkCancelDisplay(
        _(
            "{requester} needs Python packages that Slicer does not bring. They are downloaded"
            " once:\n\n{packages}\n\nInstall them now?"
        ).format(requester=requester, packages=named),
        windowTitle=_("Install Python packages"),
    )
    if not agreed:
        names = ", ".join(one.requirement for one in lacking)
        raise BadInputError(
            _("{requester} needs {packages}, which were not installed.").format(
                requester=requester, packages=names
            )
        )
    if TORCH in lacking:
        _installTorch()
    others = [one.requirement for one in lacking if one is not TORCH]
    if others:
        _install(others, requester)
        _remember(others)
    importlib.invalidate_caches()
    still = ", ".join(one.requirement for one in missing(modules))
    if still:
        raise BadInputError(
            _("{packages} could not be installed; the Python console says why.").format(
                packages=still
            )
        )


def _installTorch() -> None:
    from SkullGANLib.errors import BadInputError

    try:
        import PyTorchUtils
    except ModuleNotFoundError:
        raise BadInputError(
            _(
                "torch comes through Slicer's extension PyTorch, which is not installed; the"
                " Extensions Manager has it."
            )
        ) from None
    logic = PyTorchUtils.PyTorchUtilsLogic()
    if not logic.torchInstalled():
        logic.installTorch(askConfirmation=False)


def _install(requirements: list[str], requester: str) -> None:
    try:
        from slicer import packaging
    except ImportError:  # Slicer before 5.12
        slicer.util.pip_install(" ".join(requirements))
        return
    packaging.pip_ensure(requirements, prompt_install=False, requester=requester)


def sentence(modules: tuple[str, ...]) -> str:
    """Say for a tooltip what will be asked for, or nothing if all is there."""
    lacking = missing(modules)
    if not lacking:
        return ""
    names = ", ".join(one.requirement for one in lacking)
    return _("You will be asked to install {packages} first.").format(packages=names)


# The packages that are there: their versions, and what may be done with them.

_OURS = "SkullGAN/installedPackages"
"""Setting: what was installed for us, and may be removed. The rest belongs to Slicer or others."""


def version(package: Package) -> str:
    """Give the version of a package that is installed, as pip knows it; empty for none."""
    try:
        return importlib.metadata.version(package.requirement)
    except importlib.metadata.PackageNotFoundError:
        return ""


def installedForUs() -> list[str]:
    """Give the requirements that were installed for our modules, by name."""
    return [name for name in str(slicer.app.settings().value(_OURS) or "").split(",") if name]


def reinstallObjection(package: Package | None) -> str:
    """Say why a package cannot be installed from here, or nothing."""
    if package is TORCH:
        return _("torch comes through the extension PyTorch; its module PyTorch Util installs it.")
    return ""


def removeObjection(package: Package | None) -> str:
    """Say why a package cannot be removed from here, or nothing."""
    if package is None or package is TORCH:
        return reinstallObjection(package)
    if not version(package):
        return _("It is not installed.")
    if package.requirement not in installedForUs():
        return _("It was not installed for SkullGAN: Slicer or another extension needs it.")
    return ""


def reinstall(package: Package) -> None:
    """Install a package again, if the user agrees.

    Raises:
        BadInputError: if the user declined, or pip failed.
    """
    from SkullGANLib.errors import BadInputError

    agreed = slicer.util.confirmOkCancelDisplay(
        _(
            "Download {package} ({size}) and install it again? If it is in use already, restart"
            " Slicer afterwards."
        ).format(package=package.requirement, size=package.size),
        windowTitle=_("Install Python packages"),
    )
    if not agreed:
        raise BadInputError(_("{package} was left as it is.").format(package=package.requirement))
    try:
        slicer.util.pip_install(f"--force-reinstall --no-deps {package.requirement}")
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        raise BadInputError(
            _("{package} could not be installed ({error}); the Python console says why.").format(
                package=package.requirement, error=type(error).__name__
            )
        ) from error
    _remember([package.requirement])


def remove(package: Package) -> bool:
    """Remove a package, if the user agrees; tells whether it was.

    Raises:
        BadInputError: if pip failed.
    """
    from SkullGANLib.errors import BadInputError

    agreed = slicer.util.confirmOkCancelDisplay(
        _(
            "Remove {package} from Slicer's Python? It is asked for again when it is needed. If it"
            " is in use already, restart Slicer afterwards."
        ).format(package=package.requirement),
        windowTitle=_("Remove Python packages"),
    )
    if not agreed:
        return False
    try:
        slicer.util.pip_uninstall(package.requirement)
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        raise BadInputError(
            _("{package} could not be removed ({error}); the Python console says why.").format(
                package=package.requirement, error=type(error).__name__
            )
        ) from error
    left = [name for name in installedForUs() if name != package.requirement]
    slicer.app.settings().setValue(_OURS, ",".join(left))
    importlib.invalidate_caches()
    return True


def _remember(requirements: list[str]) -> None:
    """Keep which packages were installed for us: those may be removed again."""
    there = installedForUs()
    new = [name for name in requirements if name not in there]
    slicer.app.settings().setValue(_OURS, ",".join([*there, *new]))
