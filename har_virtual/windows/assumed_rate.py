"""Rows taken for samples of another rate, as papers do that do not resample."""

from __future__ import annotations

from collections.abc import Iterable

from har_virtual.checks import check_positive
from har_virtual.exceptions import DataFormatError
from har_virtual.recording import Recording, RecordingSet

RECORDED_RATE = "recorded_rate_hz"
"""Where `attrs` say what the rate was at first."""

CLOCK_STRETCH = "clock_stretch"
"""Where `attrs` say how many seconds of the recording's clock pass in a second."""


def assume_rate(recordings: Iterable[Recording], sampling_rate_hz: float) -> RecordingSet:
    """Call the rows of recordings samples of another rate, without resampling.

    IMUTube (section 3.1) assumes "all IMU data to have a frequency of 30Hz", though RealWorld has 50 rows a second: its
    windows of 1 s then hold 0.6 s of movement. This is that reading; `resample_recording`, or `segment_recordings` with
    a rate, is the one by the clock.

    The clock runs on with the rows: `start_s` and the durations stretch by the old rate over the new one, so that
    devices of one session that have one rate stay side by side. Seconds are then seconds as the paper counts them, in
    budgets and in amounts, too.

    Parameters
    ----------
    recordings : iterable of Recording
        Real and virtual ones. Devices of one session with different rates have to be joined first.
    sampling_rate_hz : float

    Returns
    -------
    RecordingSet
        Data, labels and annotations are the very same. ``attrs["recorded_rate_hz"]`` keeps the rate before, and
        ``attrs["clock_stretch"]`` by how much durations grew; other times in `attrs` stay as they are, by the clock.
        Recordings that have the rate already are left alone.

    Raises
    ------
    DataFormatError
        If the rate is not a positive number, nothing is given, or a session has recordings of different rates, whose
        rows would no longer be of the same time.

    See Also
    --------
    har_virtual.windows.resample_recording : Another rate, by the clock.
    har_virtual.windows.join_sessions : Devices of one session on one grid.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual import Recording
    >>> from har_virtual.windows import assume_rate
    >>> phone = Recording(np.ones((100, 1)), 50, ["waist_acc_x"], start_s=3.0)
    >>> [called] = assume_rate([phone], 30)
    >>> called.sampling_rate_hz, called.start_s, round(called.duration_s, 2), called.attrs
    (30.0, 5.0, 3.33, {'recorded_rate_hz': 50.0, 'clock_stretch': 1.6666666666666667})
    """
    rate = check_positive("sampling_rate_hz", sampling_rate_hz)
    recordings = recordings if isinstance(recordings, RecordingSet) else RecordingSet(recordings)
    if not len(recordings):
        raise DataFormatError("No recordings were given, so there is no rate to assume.")
    _check_one_rate_a_session(recordings)
    return RecordingSet((_called(recording, rate) for recording in recordings), DESCR=recordings.DESCR)


def _called(recording: Recording, rate: float) -> Recording:
    if recording.sampling_rate_hz == rate:
        return recording
    stretch, attrs = recording.sampling_rate_hz / rate, recording.attrs
    return recording.replace(
        sampling_rate_hz=rate,
        start_s=recording.start_s * stretch,
        attrs={
            **attrs,
            RECORDED_RATE: attrs.get(RECORDED_RATE, recording.sampling_rate_hz),
            CLOCK_STRETCH: attrs.get(CLOCK_STRETCH, 1.0) * stretch,
        },
    )


def _check_one_rate_a_session(recordings: RecordingSet) -> None:
    rates: dict[tuple[str | None, ...], float] = {}
    for recording in recordings:
        session = (recording.dataset, recording.subject, recording.session, recording.domain)
        first = rates.setdefault(session, recording.sampling_rate_hz)
        if first != recording.sampling_rate_hz:
            raise DataFormatError(
                f"Session {recording.group}/{recording.session} ({recording.domain}) has recordings at {first:g} Hz "
                f"and at {recording.sampling_rate_hz:g} Hz: called by one rate their rows would be of different times. "
                "Join its devices first, with har_virtual.windows.join_sessions, or resample_recording them."
            )
