"""Health: one GET, judged by its status."""

import http.client
from dataclasses import dataclass

_BODY_LIMIT = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """What came back. `detail` says in a few words why it is not healthy; empty when it is."""

    healthy: bool
    detail: str = ""
    refused: bool = False


def probe(host: str, port: int, path: str, timeout: float) -> Answer:
    """GET `path`, within `timeout` seconds per step. Never raises: what went wrong is in the answer."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        response = connection.getresponse()
        response.read(_BODY_LIMIT)
    except ConnectionRefusedError:
        return Answer(False, "nothing listens", refused=True)
    except TimeoutError:
        return Answer(False, f"no answer within {timeout:g} s")
    except (OSError, http.client.HTTPException) as error:
        return Answer(False, str(error) or type(error).__name__)
    finally:
        connection.close()
    return Answer(True) if response.status == 200 else Answer(False, f"answered {response.status}")
