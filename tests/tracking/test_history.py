"""What was said and taken away, taken back the last first."""

from hypothesis import given
from hypothesis import strategies as st

from streamer.data.prompt import Prompt
from streamer.tracking.history import History
from streamer.tracking.parameters import MAX_REMOVED
from streamer.tracking.track_state import TrackState


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 3)), max_size=20))
def test_everything_comes_back_in_reverse(doings):
    history, done, states = History(), [], []
    for is_removal, object_id in doings:
        if is_removal and len(states) < MAX_REMOVED:
            states.append(TrackState(object_id, prompts=[Prompt([(1, 1)])]))
            history.add_removal(states[-1], len(done))
            done.append((states[-1], len(done)))
        else:
            history.add_prompt(object_id)
            done.append(object_id)
    assert history.removed == states
    for last in reversed(done):
        removal = history.take_removal()
        assert (history.take_prompt() if removal is None else removal) == last
    assert history.take_removal() is None
    assert history.take_prompt() is None


def test_beyond_a_few_the_oldest_is_gone_for_good_with_what_was_said_about_it():
    history = History()
    for object_id in range(1, MAX_REMOVED + 2):
        history.add_prompt(object_id)
        history.add_removal(TrackState(object_id), 0)
    assert [state.id for state in history.removed] == list(range(2, MAX_REMOVED + 2))
    for object_id in range(MAX_REMOVED + 1, 1, -1):
        assert history.take_removal()[0].id == object_id
        assert history.take_prompt() == object_id
    assert history.take_prompt() is None


def test_what_was_only_found_is_forgotten_with_its_scene():
    history, found, meant = History(), TrackState(1), TrackState(2, prompts=[Prompt([(1, 1)])])
    history.add_removal(found, 0)
    history.add_removal(meant, 0)
    history.forget_found()
    assert history.removed == [meant]
