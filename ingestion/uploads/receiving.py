"""An uploaded file on its way from the connection into the folder, never in memory as a whole."""

from __future__ import annotations

import os
from typing import Any
from uuid import UUID, uuid4

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

from ingestion.uploads import folder


def cannot_keep(error: OSError) -> str:
    """What is said when the folder cannot be written."""
    return f"The server cannot keep the file: {error.strerror or error}. Tell whoever runs it."


class Received(UploadedFile):
    """A file that has arrived. At the end of the request it is gone, unless somebody has kept it."""

    def __init__(self, name: str, content_type: str) -> None:
        self.content = uuid4()
        super().__init__(folder.create(folder.path_of(self.content, folder.ARRIVING)), name, content_type, 0, None)

    def keep(self) -> UUID:
        """Let it stay; its name in the folder. Raises OSError."""
        assert self.file is not None  # noqa: S101  for mypy: it is open
        self.file.flush()
        os.fsync(self.file.fileno())
        folder.settle(self.content)
        return self.content

    def close(self) -> None:
        super().close()
        folder.path_of(self.content, folder.ARRIVING).unlink(missing_ok=True)


class IntoFolder(FileUploadHandler):
    """Writes the first file of a request into the folder; others it lets pass by."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Not `file`: Django would close that, and ask first whether there is an attribute, not whether there is a file.
        self.received: Received | None = None
        self.problem = ""
        self.count = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.count += 1
        if self.count == 1:
            try:
                self.received = Received(self.file_name or "", self.content_type or "")
            except OSError as error:
                self._stop(error)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.count == 1 and self.received is not None:
            try:
                self.received.write(raw_data)
            except OSError as error:
                self._stop(error)

    def _stop(self, error: OSError) -> None:
        self.problem = cannot_keep(error)
        raise StopUpload

    def close(self) -> None:
        """Leave nothing behind that nobody has kept."""
        if self.received is not None:
            self.received.close()

    def file_complete(self, file_size: int) -> Received | None:
        if self.count > 1 or self.received is None:
            return None
        self.received.size = file_size
        return self.received
