"""Whether a folder lies on a network file system, where SQLite's shared memory and locks cannot be trusted."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

NETWORK_TYPES = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "webdav", "lustre", "gpfs", "afs", "9p"}
    | {"ceph", "beegfs", "glusterfs", "fuse.sshfs", "fuse.glusterfs", "fuse.rclone", "fuse.davfs2", "macfuse"}
)
"""File system types on which WAL is not used (`locking protocol` on NFS: crush#3461; silent damage: oh-my-pi#9082)."""

_MOUNT_TABLE = Path("/proc/self/mounts")
_DRIVE_REMOTE = 4  # what GetDriveTypeW answers for a network drive


def on_network(folder: Path) -> bool:
    """True when `folder` (which exists) is on a network file system, or says so by `TUTOR_NETWORK_HOME=1`.

    The variable is for file systems that hide what they are: a home folder behind a FUSE or overlay mount.
    """
    if os.environ.get("TUTOR_NETWORK_HOME") == "1":
        return True
    if sys.platform == "win32":
        return _windows_drive_is_remote(folder)
    if _MOUNT_TABLE.exists():
        return network_in_mounts(_MOUNT_TABLE.read_text(encoding="utf-8", errors="replace"), folder.resolve())
    return _mount_command_says_network(folder.resolve())


def network_in_mounts(table: str, folder: Path) -> bool:
    """The same, from the text of a Linux mount table (device, mount point, type, options; one a line)."""
    longest, found = -1, ""
    for line in table.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        # Spaces, tabs, newlines and backslashes are octal escapes there.
        point = Path(re.sub(r"\\([0-7]{3})", lambda escape: chr(int(escape[1], 8)), fields[1]))
        if folder.is_relative_to(point) and len(point.parts) >= longest:
            longest, found = len(point.parts), fields[2]
    return found in NETWORK_TYPES


def _windows_drive_is_remote(folder: Path) -> bool:
    drive = folder.resolve().drive
    if drive.startswith("\\\\"):
        return True
    import ctypes

    return bool(ctypes.windll.kernel32.GetDriveTypeW(drive + "\\") == _DRIVE_REMOTE)  # type: ignore[attr-defined,unused-ignore]


def _mount_command_says_network(folder: Path) -> bool:
    """macOS and BSD have no mount table in a file: `mount` prints `device on /point (type, options)`."""
    import subprocess

    try:
        text = subprocess.run(["mount"], capture_output=True, text=True, timeout=5, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    lines = (line.partition(" on ")[2].rpartition(" (") for line in text.splitlines())
    table = "\n".join(
        f"x {point.replace(' ', chr(92) + '040')} {kind.split(',')[0].rstrip(')')}"
        for point, _, kind in lines
    )
    return network_in_mounts(table, folder)
