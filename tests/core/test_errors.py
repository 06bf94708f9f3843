import pickle

from tinyml.errors import DataError, UnknownNameError, UnsupportedOpsError


def test_message_is_one_line_in_order() -> None:
    error = DataError("cannot read\nimage", value="a.jpg", allowed="JPEG", hint="use --skip-bad")
    assert str(error) == "cannot read image: 'a.jpg'; allowed: JPEG; use --skip-bad"


def test_long_values_are_cut() -> None:
    assert len(str(DataError("x", value="y" * 1000))) < 320


def test_errors_travel_between_processes() -> None:
    for error in (
        UnknownNameError("model", "resnt", ["resnet"]),
        UnsupportedOpsError("no", ops=["b", "a"]),
        DataError("x"),
    ):
        back = pickle.loads(pickle.dumps(error))  # noqa: S301
        assert type(back) is type(error)
        assert str(back) == str(error)
        assert back.__dict__ == error.__dict__
