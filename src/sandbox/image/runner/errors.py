"""What a tool says when it cannot do what it was asked."""


class ToolError(Exception):
    """The text goes to the model, as the result of the call: it names what is wrong and what to do instead."""
