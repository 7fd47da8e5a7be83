"""Joining the devices of every session of a data set."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable
from typing import Literal

import numpy as np

from har_virtual.exceptions import DataFormatError, DataWarning, UnknownNameError
from har_virtual.recording import Recording, RecordingSet, channel_quantity, channel_site
from har_virtual.windows.streams import common_rate, join_recordings

_log = logging.getLogger(__name__)
_MISSING = ("nan", "drop")


def join_sessions(
    recordings: Iterable[Recording],
    sampling_rate_hz: float | None = None,
    *,
    sites: Iterable[str] | str | None = None,
    missing: Literal["nan", "drop"] = "nan",
    max_gap_s: float = 0.1,
) -> RecordingSet:
    """Merge the devices of each session into one recording with the channels of all.

    Data sets with one file a device, such as RealWorld, load as one recording a device; a classifier of several sites
    needs them side by side. `join_recordings` does it for one session.

    Parameters
    ----------
    recordings : iterable of Recording
        Those with one data set, subject, session and domain are the devices of one session.
    sampling_rate_hz : float, optional
        Needed where rates differ.
    sites : str or iterable of str, optional
        Only channels of these sites; default: all channels. Fewer sites leave more time that all devices share.
    missing : {"nan", "drop"}, default="nan"
        What becomes of a session in which a device is missing that others have: its channels are NaN (windows of them
        are dropped, unless `segment_recordings` is told to take other channels), or the session is left out.
    max_gap_s : float, default=0.1
        Holes up to this length are bridged, longer ones stay.

    Returns
    -------
    RecordingSet
        One recording a session, in order of first appearance, over the time that its devices share; all with the same
        channels, in order of first appearance.

    Raises
    ------
    DataFormatError
        If nothing is given or left, rates differ and none is given, or the devices of a session share a channel or
        disagree about labels.
    UnknownNameError
        If no recording has one of `sites`, or `missing` is neither of the two.

    Warns
    -----
    DataWarning
        Names the sessions that lack channels, and those left out because their devices share no time.

    Examples
    --------
    >>> import numpy as np
    >>> from har_virtual import Recording
    >>> from har_virtual.windows import join_sessions
    >>> def device(site, session, start_s, n_samples):
    ...     names = [f"{site}_acc_{axis}" for axis in "xyz"]
    ...     return Recording(np.ones((n_samples, 3)), 50, names, start_s=start_s, session=session)
    >>> devices = [device("chest", "a", 0.0, 100), device("left_shin", "a", 0.5, 100), device("chest", "b", 0.0, 100),
    ...            device("left_shin", "b", 0.0, 60)]
    >>> [(joined.session, joined.start_s, joined.data.shape) for joined in join_sessions(devices)]
    [('a', 0.5, (75, 6)), ('b', 0.0, (60, 6))]
    """
    if missing not in _MISSING:
        raise UnknownNameError(f"missing must be one of {', '.join(_MISSING)}, not {missing!r}.")
    recordings = recordings if isinstance(recordings, RecordingSet) else RecordingSet(recordings)
    if not len(recordings):
        raise DataFormatError("No recordings were given, so there is nothing to join.")
    devices = list(recordings) if sites is None else _at_sites(recordings, [sites] if isinstance(sites, str) else sites)
    rate = common_rate(RecordingSet(devices), sampling_rate_hz)
    channels = tuple(dict.fromkeys(channel for device in devices for channel in device.channels))
    sessions: dict[tuple[str | None, ...], list[Recording]] = {}
    for device in devices:
        sessions.setdefault((device.dataset, device.subject, device.session, device.domain), []).append(device)
    apart = [session for session in sessions.values() if not _share_time(session)]
    joined = [_join(session, rate, max_gap_s) for session in sessions.values() if _share_time(session)]
    partial = [session for session in joined if len(session.channels) < len(channels)]
    _tell_apart(apart)
    _tell_partial(partial, channels, missing)
    kept = joined if missing == "nan" else [session for session in joined if len(session.channels) == len(channels)]
    if not kept:
        raise DataFormatError(
            f"No session is left of {len(sessions)}: in {len(apart)} the devices share no time, and {len(partial)} "
            f"lack some of the channels {', '.join(channels)}. Name fewer sites, or check start_s and sessions."
        )
    return RecordingSet((_completed(session, channels) for session in kept), DESCR=recordings.DESCR)


def _at_sites(recordings: RecordingSet, sites: Iterable[str]) -> list[Recording]:
    wanted = set(sites)
    there = dict.fromkeys(site for r in recordings for channel in r.channels if (site := channel_site(channel)))
    unknown = sorted(wanted - set(there))
    if unknown or not wanted:
        raise UnknownNameError(f"No recording has the sites {unknown}; there are {', '.join(there) or 'none'}.")
    chosen = [(r, [channel for channel in r.channels if channel_site(channel) in wanted]) for r in recordings]
    return [recording.select(channels) for recording, channels in chosen if channels]


def _share_time(session: list[Recording]) -> bool:
    last_s = min(device.start_s + (len(device) - 1) / device.sampling_rate_hz for device in session)
    return last_s >= max(device.start_s for device in session)


def _join(session: list[Recording], rate: float, max_gap_s: float) -> Recording:
    try:
        return join_recordings(session, sampling_rate_hz=rate, max_gap_s=max_gap_s)
    except DataFormatError as error:
        raise DataFormatError(f"Session {_name(session[0])}: {error}") from error


def _completed(session: Recording, channels: tuple[str, ...]) -> Recording:
    """Give a session with all channels in order, NaN where it has none."""
    if session.channels == channels:
        return session
    data = np.full((len(session), len(channels)), np.nan, dtype=np.float32)
    data[:, [channels.index(channel) for channel in session.channels]] = session.data
    return session.replace(data=data, channels=channels)


def _tell_apart(sessions: list[list[Recording]]) -> None:
    if sessions:
        named = "; ".join(f"{_name(session[0])} ({_spans(session)})" for session in sessions)
        warnings.warn(f"Left out, because their devices share no time: {named}.", DataWarning, stacklevel=3)


def _tell_partial(sessions: list[Recording], channels: tuple[str, ...], missing: str) -> None:
    if not sessions:
        return
    named = "; ".join(f"{_name(s)} without {', '.join(_lacking(s, channels))}" for s in sessions)
    if missing == "drop":
        _log.info("%d sessions lack channels and are left out: %s", len(sessions), named)
        return
    warnings.warn(
        f"{len(sessions)} sessions lack channels that others have, and hold NaN there: {named}. Choose sites, or leave "
        "these sessions out with missing='drop'.",
        DataWarning,
        stacklevel=3,
    )


def _lacking(session: Recording, channels: tuple[str, ...]) -> list[str]:
    """Give what a session lacks: sites of which it has nothing, then vectors, then single channels."""
    own = {(channel_site(channel), channel_quantity(channel)) for channel in session.channels}
    sites = {site for site, _ in own}
    lacking: dict[str | None, None] = {}
    for channel in (channel for channel in channels if channel not in session.channels):
        site, quantity = channel_site(channel), channel_quantity(channel)
        whole = site if site not in sites else f"{site} {quantity}" if (site, quantity) not in own else channel
        lacking[channel if site is None else whole] = None
    return [str(each) for each in lacking]


def _name(recording: Recording) -> str:
    name = f"{recording.group}/{'unknown' if recording.session is None else recording.session}"
    return f"{name} ({recording.domain})" if recording.domain == "virtual" else name


def _spans(session: list[Recording]) -> str:
    return ", ".join(f"{channel_site(d.channels[0])} {d.start_s:g} to {d.start_s + d.duration_s:g} s" for d in session)
