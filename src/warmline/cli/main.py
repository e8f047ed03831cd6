"""The command's entry: one clear line for whatever goes wrong, and the exit status that says which kind it was."""

import os
import sys
from collections.abc import Iterator, Sequence

from warmline.cli.extras import MissingExtra, missing_extra
from warmline.cli.uncollected import uncollected
from warmline.errors import ConfigError, WarmlineError

__all__ = ["main"]

_FAILED = 1
_USAGE = 2
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; `argv` (default: `sys.argv[1:]`) has no program name.

    Returns:
        0 when all went well, 2 for a wrong option or setting, 130 after Ctrl-C, 1 for any other failure.
    """
    try:
        return _run(sys.argv[1:] if argv is None else argv)
    except MissingExtra as missing:
        return _complain(str(missing), _FAILED)
    except ConfigError as error:
        return _complain(str(error), _USAGE)
    except WarmlineError as error:
        return _complain(str(error), _FAILED)
    except ExceptionGroup as group:
        expected, unexpected = group.split(WarmlineError)
        if expected is None or unexpected is not None:
            raise
        return _complain("; ".join(str(error) for error in _leaves(expected)), _FAILED)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output is gone; what Python would flush at exit must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED


def _run(argv: Sequence[str]) -> int:
    with missing_extra("cli"), uncollected():
        import click

        from warmline.cli.commands import warmline
    try:
        status = warmline.main(args=list(argv), prog_name="warmline", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return _USAGE
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "warmline"
        return _complain(f"{error.format_message()} (see '{path} --help')", _USAGE)
    except click.ClickException as error:
        return _complain(error.format_message(), error.exit_code)
    except click.Abort:
        return _INTERRUPTED
    return status if isinstance(status, int) else 0


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _complain(message: str, status: int) -> int:
    print(f"warmline: {' '.join(message.split())}", file=sys.stderr)
    return status
