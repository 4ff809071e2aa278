"""The `nextbest` command: one module per family of commands, registered here."""

import typer

from nextbest.requeue.command import requeue
from nextbest.simulator.command import simulate

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.command()(simulate)
app.command()(requeue)


@app.callback()
def nextbest() -> None:
    """From change data to the next best offer."""


if __name__ == "__main__":
    app()
