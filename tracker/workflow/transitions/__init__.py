"""The steps that can be taken with a task, one `Transition` object each.

To add one, name it in `domain.choices.Action` and declare its object in the tuple of its topic
here: buttons, forms, checks and the printed table of steps read it.
"""
