"""Faults of deliveries, chosen through the control API and seeded."""

from dataclasses import dataclass


@dataclass(slots=True)
class Switches:
    """Probabilities lie between 0 and 1; times are in seconds."""

    #: Nothing is delivered; deliveries wait.
    paused: bool = False
    #: Probability that a delivery is made twice.
    duplicate: float = 0.0
    #: Each next delivery is any of this many that wait longest; 0 keeps their order.
    shuffle: int = 0
    #: Probability that a delivery is lost on its way and retried later.
    fail: float = 0.0
    #: Probability that the receiver's answer is lost, so that it is delivered again.
    lose_answer: float = 0.0
    #: Each delivery waits a random time up to this.
    delay: float = 0.0
    #: Deliveries under way at once.
    concurrency: int = 8
    #: Wait before the first retry; each further one waits twice as long, up to retry_ceiling.
    retry_first: float = 0.5
    retry_ceiling: float = 3_600.0
    most_attempts: int = 16
    #: How long a receiver may take to answer.
    timeout: float = 20.0
    seed: int = 0

    def change(self, given: dict[str, object]) -> None:
        """Set switches by name; an unknown name is a KeyError."""
        for name, value in given.items():
            if name not in self.__slots__:
                raise KeyError(name)
            setattr(self, name, type(getattr(self, name))(value))
