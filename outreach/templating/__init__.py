"""Templates: a sequence's files, what they may say, and their rendering for one founder.

Templates may come from strangers, and so may the data: the language is cut down to names, choices and simple loops, and
data is text that is never compiled. It knows nothing of messages, stores or campaigns.
"""

from outreach.templating.context import VARIABLES, Context, Previous, facts_of, template_context
from outreach.templating.environment import FILTERS
from outreach.templating.render import Missing, Renderer
from outreach.templating.sequences import load_sequence, sequence_folder, sequence_names

__all__ = [
    "FILTERS",
    "VARIABLES",
    "Context",
    "Missing",
    "Previous",
    "Renderer",
    "facts_of",
    "load_sequence",
    "sequence_folder",
    "sequence_names",
    "template_context",
]
