"""What may be taken is the least of what system, container and process leave."""

from __future__ import annotations

from SkullGANLib.utils import free_memory


def test_the_least_of_all_limits_counts(tmp_path, monkeypatch):
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:  2048 kB\n")
    (tmp_path / "memory.max").write_text("3000000\n")
    (tmp_path / "memory.current").write_text("2500000\n")
    monkeypatch.setattr(free_memory, "_MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(free_memory, "_GROUP", tmp_path)
    assert free_memory.available_bytes() == 500_000
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory.available_bytes() == 2048 * 1024


def test_a_system_that_says_nothing_is_no_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(free_memory, "_MEMORY", tmp_path / "none")
    monkeypatch.setattr(free_memory, "_GROUP", tmp_path)
    monkeypatch.setattr(free_memory, "_left_of_process", lambda: None)
    assert free_memory.available_bytes() is None
