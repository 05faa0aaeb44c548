"""A later version of sample_transforms.py with one transform: the others are withdrawn."""

from gateway import Gateway
from gateway.transforms import Transform
from tests.transforms.sample_transforms import NoteInput, prepare_note

TRANSFORMS = [Transform("notes", {"create"}, prepare_note, NoteInput, may_come_later=True)]

app = Gateway()
for _transform in TRANSFORMS:
    app.add_transform(_transform)
