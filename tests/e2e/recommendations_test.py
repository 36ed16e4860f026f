"""What can be asked of recommendations, on a model trained by the real program:
filters, pages, playlists that other programs read, blocked artists, groups,
sessions and radios."""

import json
import pathlib
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "harness"))
from segue import Server, main, segue, wait_until  # noqa: E402

WHO, OTHER = "listener-003", "listener-004"
XSPF = "{http://xspf.org/ns/0/}"


def ids(answer):
    return [item["track_id"] for item in answer["items"]]


def recommended(server, listener=WHO, **wish):
    return server.get(f"/v1/listeners/{listener}/recommendations?{urllib.parse.urlencode(wish, doseq=True)}")


def check_filters(server):
    everything = recommended(server, n=1000, mode="next")
    tracks = {track_id: server.get(f"/v1/tracks/{track_id}") for track_id in ids(everything)}
    tags = sorted({tag for track in tracks.values() for tag in track["tags"]})
    assert len(tags) > 1, "made-up tracks have tags"
    tagged = recommended(server, n=1000, mode="next", tag=tags[0])
    assert set(ids(tagged)) == {i for i, track in tracks.items() if tags[0] in track["tags"]}
    assert tagged["allowed"] == len(tagged["items"])
    energies = sorted(track["features"]["energy"] for track in tracks.values())
    middle = energies[len(energies) // 2]
    loud = recommended(server, n=1000, mode="next", energy_min=middle, tag_not=tags[0])
    assert set(ids(loud)) == {i for i, track in tracks.items() if track["features"]["energy"] >= middle and tags[0] not in track["tags"]}
    pages = [track for offset in range(0, 60, 20) for track in ids(recommended(server, n=20, offset=offset, diversity=0.4))]
    assert pages == ids(recommended(server, n=60, diversity=0.4)) and len(set(pages)) == 60


def check_playlists(server):
    path = f"/v1/listeners/{WHO}/recommendations?n=8"
    listed = server.get(path)
    names = [(item["artist"], item["title"]) for item in listed["items"]]
    _, headers, body = server.request("GET", path + "&format=xspf")
    assert headers["Content-Type"] == "application/xspf+xml" and headers["X-List-Id"]
    root = ElementTree.fromstring(body)
    assert root.tag == XSPF + "playlist" and root.get("version") == "1"
    found = root.findall(f"{XSPF}trackList/{XSPF}track")
    assert [(t.findtext(XSPF + "creator"), t.findtext(XSPF + "title")) for t in found] == names
    _, headers, body = server.request("GET", path, headers={"Accept": "application/jspf+json"})
    assert headers["Content-Type"] == "application/jspf+json"
    assert [(t["creator"], t["title"]) for t in json.loads(body)["playlist"]["track"]] == names
    _, headers, body = server.request("GET", path + "&format=m3u")
    lines = body.decode().splitlines()
    assert lines[0] == "#EXTM3U" and [line.split(",", 1)[1] for line in lines if line.startswith("#EXTINF:")] == [f"{a} - {t}" for a, t in names]
    assert server.get(f"/v1/lists/{headers['X-List-Id']}")["listener"] == WHO


def check_blocks(server):
    artist = recommended(server, n=1)["items"][0]["artist"]
    address = f"/v1/listeners/{WHO}/blocked-artists/{urllib.parse.quote(artist, safe='')}"
    server.call("PUT", address)
    asked = [recommended(server, n=1000, mode=mode) for mode in ("discovery", "next")]
    asked.append(server.post("/v1/groups/recommendations", {"listeners": [OTHER, WHO], "n": 1000, "mode": "next"}))
    asked.append(server.post("/v1/radio", {"artists": [artist], "listener": WHO, "n": 60}))
    for answer in asked:
        assert answer["items"] and artist not in {item["artist"] for item in answer["items"]}
    similar = server.get(f"/v1/artists/{urllib.parse.quote(artist, safe='')}/similar?n=5")
    assert similar["artist"] == artist and len(similar["items"]) == 5
    # It holds over a crash, and is his to take back.
    server.kill()
    server.start()
    wait_until(server.live, "the model is served again", 30, server.alive)
    assert artist not in {item["artist"] for item in recommended(server, n=1000)["items"]}
    assert [item["artist"] for item in server.get(f"/v1/listeners/{WHO}/blocked-artists")["items"]] == [artist]
    server.call("DELETE", address)
    assert artist in {item["artist"] for item in recommended(server, n=1000, mode="next")["items"]}


def check_sessions_and_radio(server):
    track = recommended(server, n=1, mode="next")["items"][0]
    played = [{"artist": "Nobody At All", "title": "Nothing"}, {"artist": track["artist"], "title": track["title"]}]
    session = server.post("/v1/sessions/recommendations", {"tracks": played, "n": 10})
    assert session["fallback"] is None and session["list_id"] is None and len(session["items"]) == 10
    assert [one["index"] for one in session["unknown"]] == [0] and track["track_id"] not in ids(session)
    radio = f"/v1/tracks/{track['track_id']}/radio?n="
    walk = server.get(radio + "40")["items"]
    assert all(a["artist"] != b["artist"] for a, b in zip(walk, walk[1:]))
    assert walk == server.get(radio + "25")["items"] + server.get(radio + "15&offset=25")["items"]


def test_what_is_asked_for_is_what_is_given():
    settings = ["search.trials=0", "train.algorithms=ials_content", "gate.min_mrr=0", "gate.min_hit_rate=0", "evaluate.bootstrap_samples=50"]
    with Server(settings=settings) as server:
        segue("simulate", "--output", server.data / "made", "--listeners", 12, "--tracks", 240, "--days", 30)
        server.drop(server.data / "made")
        server.wait_live()
        check_filters(server)
        check_playlists(server)
        check_sessions_and_radio(server)
        check_blocks(server)


if __name__ == "__main__":
    main(globals())
