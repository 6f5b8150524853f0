"""A picture that becomes narrower with its panel."""

from __future__ import annotations

import qt_needed  # noqa: F401


def test_a_picture_is_as_wide_as_its_label_but_no_wider_than_it_is_meant_to_be(host):
    import qt
    from SkullGANGui.fitted_picture import FittedPicture

    around = qt.QWidget()
    layout = qt.QVBoxLayout(around)
    layout.setContentsMargins(0, 0, 0, 0)
    label = qt.QLabel()
    layout.addWidget(label)
    picture = FittedPicture(label, 400)
    around.resize(300, 300)
    around.show()
    picture.show(qt.QPixmap(800, 200))
    host.process_events()
    for width, wanted in ((300, 300), (200, 200), (900, 400)):
        around.resize(width, 300)
        host.process_events()
        assert (label.pixmap.width(), label.pixmap.height()) == (wanted, wanted // 4)
        assert around.minimumSizeHint().width() < 100
    picture.clear()
    assert label.pixmap.isNull()
    around.resize(500, 300)
    host.process_events()
    assert label.pixmap.isNull()
