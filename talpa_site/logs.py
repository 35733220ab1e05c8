"""Logs as structured lines on standard error, one event a line, with the run's or the request's id."""

from __future__ import annotations

import logging.config
import sys
from typing import Any

import structlog

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
STYLES = ("json", "console")


def configure_logging(*, level: str, style: str) -> dict[str, Any]:
    """Send every log record, ours and the libraries', through one formatter.

    `level` is a name of the standard library's; `style` is `json` (for programs) or `console` (for people).
    Ends the process with a sentence when either is none of these. Returns the configuration for programs
    that set logging up themselves.
    """
    if level.upper() not in LEVELS or style not in STYLES:
        print(
            f"Settings: LOG_LEVEL must be one of {', '.join(LEVELS)} and LOG_FORMAT one of {', '.join(STYLES)}.",
            file=sys.stderr,
        )
        raise SystemExit(1)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    config = _standard_library(level.upper(), style)
    logging.config.dictConfig(config)
    return config


def _shared() -> list[Any]:
    return [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def _standard_library(level: str, style: str) -> dict[str, Any]:
    render: list[Any] = (
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
        if style == "console"
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
                "foreign_pre_chain": [structlog.contextvars.merge_contextvars, *_shared()],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        # Each request is one line of django_structlog's; Django's own line about it would say it twice.
        "loggers": {"django.server": {"level": "ERROR"}, "django.request": {"level": "ERROR"}},
    }
