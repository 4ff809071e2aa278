"""Files of the landing directory: bounded in size, and visible only when whole."""

import filecmp
import os
from pathlib import Path
from typing import BinaryIO

from nextbest.simulator.settings import SimulationError

MAX_RECORDS_PER_FILE = 20_000


class AtomicFile:
    """A file that appears under its name only when closed, never half written.

    Until then it is a hidden sibling (`.<name>.tmp`), which file streams ignore. A file that
    already exists is left alone if it is equal, so that a day cut short can be written again.

    Raises SimulationError on close if a different file has that name, unless `overwrite`.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self.path = path
        self._overwrite = overwrite
        self._hidden = path.with_name(f".{path.name}.tmp")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._stream: BinaryIO = self._hidden.open("wb")
        self.write = self._stream.write

    def close(self) -> None:
        """Publish the file under its name."""
        self._stream.close()
        if self.path.exists() and not self._overwrite:
            if not filecmp.cmp(self._hidden, self.path, shallow=False):
                self._hidden.unlink()
                raise SimulationError(
                    f"{self.path} exists with other contents: it was changed or comes from another "
                    "simulation. Choose an empty directory with --out."
                )
            self._hidden.unlink()
            return
        os.replace(self._hidden, self.path)

    def discard(self) -> None:
        """Give the file up; nothing appears."""
        self._stream.close()
        self._hidden.unlink(missing_ok=True)


class LandingFiles:
    """The files of one feed for one tick of time, `<stem>_<part>.<extension>`.

    A part holds at most MAX_RECORDS_PER_FILE records. Without a record there is no file, except
    that a feed with a `header` always delivers one.
    """

    def __init__(self, directory: Path, stem: str, extension: str, header: bytes | None) -> None:
        self._directory = directory
        self._stem = stem
        self._extension = extension
        self._header = header
        self._file: AtomicFile | None = None
        self._records = 0
        self.count = 0
        if header is not None:
            self._open()

    def write(self, line: bytes) -> None:
        """Append one record, its line end included."""
        if self._file is None or self._records == MAX_RECORDS_PER_FILE:
            self._open()
        assert self._file is not None
        self._file.write(line)
        self._records += 1

    def close(self) -> None:
        """Publish the open part."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def discard(self) -> None:
        """Give up the open part."""
        if self._file is not None:
            self._file.discard()
            self._file = None

    def _open(self) -> None:
        self.close()
        name = f"{self._stem}_{self.count:04d}.{self._extension}"
        self._file = AtomicFile(self._directory / name)
        self._records = 0
        self.count += 1
        if self._header is not None:
            self._file.write(self._header)
