"""The admin's pages of uploads: a file is handed in, its report looked at, and loaded or thrown away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from catalog.changes import NotPossible, latest_change
from catalog.read_only import NOTHING, ReadOnlyAdmin, link_to, moment, visible
from ingestion.admin_uploads_page import describe, doing, pill
from ingestion.upload_models import Upload
from ingestion.uploads import steps
from ingestion.uploads.receiving import IntoFolder, cannot_keep

log = structlog.get_logger(__name__)

FORM_BYTES = 1 << 20
"""What a request may have besides the file."""

TOO_MANY = (
    f"{steps.MOST_KEPT} files of yours are kept here already. Have some of them loaded or discarded, then upload this "
    "one."
)
NOT_RECORDED = (
    "The database did not take the upload, perhaps because a load is writing to it just now; the file was not kept. "
    "Send it again when the load has ended."
)


class OptionsForm(forms.ModelForm):
    """How the file is to be read and what refuses it, as the command's options of the same names say it."""

    class Meta:
        model = Upload
        fields = ("full_snapshot", "max_rejects", "max_removals", "allow_extra_columns", "force")


class UploadForm(OptionsForm):
    """A file, and how it is to be loaded."""

    file = forms.FileField(
        max_length=255,
        error_messages={"required": "Choose a file.", "empty": "The file is empty; not even a header is there."},
    )

    field_order = ("file",)

    def clean_file(self) -> Any:
        """Not larger than is allowed."""
        file = self.cleaned_data["file"]
        if file.size > settings.UPLOAD_LIMIT:
            raise forms.ValidationError(too_large())
        return file


def too_large() -> str:
    """What is said to somebody whose file is too large."""
    limit = filesizeformat(settings.UPLOAD_LIMIT)
    return (
        f"The file is larger than {limit}, and no larger one may be uploaded (UPLOAD_LIMIT). Compress it, or load it "
        "on the server with the command ingest_csv."
    )


class UploadAdmin(ReadOnlyAdmin):
    """Uploads, the newest first."""

    list_display = (
        *("position", "standing", "file_name", "file_size"),
        *("handed_in", "uploaded_by", "confirmed_by", "run_made"),
    )
    list_display_links = ("position",)
    list_filter = ("state",)
    list_select_related = ("run",)
    search_fields = ("file",)
    search_help_text = "Part of the file's name"
    ordering = ("-id",)

    class Media:
        css = {"all": ("ingestion/uploads.css",)}
        js = ("ingestion/uploads.js",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        # Whoever hands a file in is shown what becomes of it.
        return request.user.has_perms(("ingestion.add_upload", "ingestion.view_upload"))

    def may_load(self, request: HttpRequest) -> bool:
        """Whether somebody may have files loaded, checked again and thrown away."""
        return request.user.has_perm("ingestion.change_upload")

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            return path(route, self.admin_site.admin_view(view), name=f"ingestion_upload_{name}")

        # Whoever may not, and whatever is too large, is refused before the body of the request is read. To look for the
        # token against forgery reads it: `receive` does that.
        add = csrf_exempt(require_http_methods(["GET", "POST"])(self.upload_view))
        return [
            page("add/", add, "add"),
            page("<int:pk>/change/", require_GET(self.page_view), "change"),
            page("<int:pk>/state/", require_GET(self.state_view), "state"),
            page("<int:pk>/load/", require_POST(self.load_view), "load"),
            page("<int:pk>/check/", require_POST(self.check_view), "check"),
            page("<int:pk>/discard/", require_POST(self.discard_view), "discard"),
            *super().get_urls(),
        ]

    @admin.display(description="upload")
    def position(self, upload: Upload) -> str:
        return str(upload)

    @admin.display(description="state")
    def standing(self, upload: Upload) -> SafeString:
        return pill(upload)

    @admin.display(description="file")
    def file_name(self, upload: Upload) -> str:
        return visible(upload.file)

    @admin.display(description="size")
    def file_size(self, upload: Upload) -> str:
        return filesizeformat(upload.size)

    @admin.display(description="uploaded at")
    def handed_in(self, upload: Upload) -> str:
        return moment(upload.uploaded_at.replace(microsecond=0))

    @admin.display(description="run")
    def run_made(self, upload: Upload) -> SafeString | str:
        return link_to(upload.run, str(upload.run)) if upload.run else NOTHING

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        """The page on which a file is handed in, and the file that is sent from it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method == "GET":
            return self.form_page(request, UploadForm())
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.UPLOAD_LIMIT + FORM_BYTES:
            return self.refusal(request, UploadForm(), too_large(), status=413)
        if steps.has_enough(request.user.get_username()):
            return self.refusal(request, UploadForm(), TOO_MANY, status=409)
        handler = IntoFolder(request)
        request.upload_handlers = [handler]
        try:
            return csrf_protect(self.receive)(request, handler)
        finally:
            # Also of a connection that broke off, which Django passes over.
            handler.close()

    def receive(self, request: HttpRequest, handler: IntoFolder) -> HttpResponse:
        """A file has come, or has failed to."""
        form = UploadForm(request.POST, request.FILES)
        valid = form.is_valid()
        if handler.problem:
            return self.refusal(request, UploadForm(), handler.problem, status=507)
        if not valid:
            return self.refusal(request, form, "", status=200)
        try:
            upload = steps.receive(actor=request.user.get_username(), **form.cleaned_data)
        except OSError as error:
            return self.refusal(request, UploadForm(), cannot_keep(error), status=507)
        except OperationalError:
            log.exception("upload.not_recorded")
            return self.refusal(request, UploadForm(), NOT_RECORDED, status=503)
        address = reverse("admin:ingestion_upload_change", args=[upload.pk])
        return JsonResponse({"page": address}) if wants_json(request) else redirect(address)

    def refusal(self, request: HttpRequest, form: UploadForm, sentence: str, *, status: int) -> HttpResponse:
        """The page again with what is wrong; for a script just that."""
        if wants_json(request):
            wrong = [str(error) for errors in form.errors.values() for error in errors]
            return JsonResponse({"refused": sentence or " ".join(wrong)}, status=status)
        return self.form_page(request, form, refused=sentence, status=status)

    def form_page(
        self, request: HttpRequest, form: UploadForm, *, refused: str = "", status: int = 200
    ) -> HttpResponse:
        given = {
            "title": "Upload a file",
            "form": form,
            "refused": refused,
            "limit": settings.UPLOAD_LIMIT,
            "limit_text": filesizeformat(settings.UPLOAD_LIMIT),
            "too_large": too_large(),
        }
        return self.render(request, "add", given, status=status)

    def render(self, request: HttpRequest, name: str, given: dict[str, Any], *, status: int = 200) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media, **given}
        return TemplateResponse(request, f"admin/ingestion/upload/{name}.html", context, status=status)

    def upload_or_list(self, request: HttpRequest, pk: int, *, to_change: bool = False) -> Upload | HttpResponse:
        """The upload, for those who may see or change it; back to the list when there is none (any more)."""
        if not self.has_view_permission(request) or (to_change and not self.may_load(request)):
            raise PermissionDenied
        found = Upload.objects.select_related("run").filter(pk=pk).first()
        return self.not_there(request, str(pk)) if found is None else found

    def page_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What is known of an upload, and what can be done with it."""
        upload = self.upload_or_list(request, pk)
        if not isinstance(upload, Upload):
            return upload
        return self.upload_page(request, upload, OptionsForm(instance=upload))

    def upload_page(self, request: HttpRequest, upload: Upload, form: OptionsForm) -> HttpResponse:
        may = self.may_load(request) and upload.content is not None
        given = describe(upload, rows=request.user.has_perm("ingestion.view_rejectedrow")) | {
            "title": f"Upload {upload.pk}",
            "form": form,
            "may_load": may and upload.state == Upload.State.CHECKED,
            "may_check": may and upload.state in Upload.CHECKABLE,
            "may_discard": may and upload.state in Upload.DISCARDABLE,
            "changed_since": upload.state == Upload.State.CHECKED and latest_change() != upload.seen,
        }
        return self.render(request, "page", given)

    def state_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """For the script of the page: the state, and what is being done."""
        upload = self.upload_or_list(request, pk)
        if not isinstance(upload, Upload):
            return upload
        answer = JsonResponse({"state": upload.state, "doing": doing(upload)})
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def load_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Have it loaded."""
        return self.step(request, pk, lambda shown: steps.confirm(pk, shown, actor=request.user.get_username()))

    def discard_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Throw it away."""
        return self.step(request, pk, lambda shown: steps.discard(pk, shown))

    def check_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Have it checked again, with the options that stand in the form."""
        form = OptionsForm(request.POST)
        if form.is_valid():
            return self.step(request, pk, lambda shown: steps.check_again(pk, shown, **form.cleaned_data))
        upload = self.upload_or_list(request, pk, to_change=True)
        return self.upload_page(request, upload, form) if isinstance(upload, Upload) else upload

    def step(self, request: HttpRequest, pk: int, take: Callable[[str], None]) -> HttpResponse:
        """Do something with an upload, and look at it again."""
        upload = self.upload_or_list(request, pk, to_change=True)
        if not isinstance(upload, Upload):
            return upload
        try:
            take(request.POST.get("shown", ""))
        except NotPossible as refused:
            messages.error(request, refused.message)
        return redirect("admin:ingestion_upload_change", pk)


def wants_json(request: HttpRequest) -> bool:
    """Whether it is the page's script that asks; a browser itself would take anything."""
    return request.headers.get("Accept") == "application/json"
