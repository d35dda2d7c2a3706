"""Open pages of the view in the browser without a browser, in a process of their own: ``python -m`` this, for `bench`.

They do what the page does: say hello, decode what comes, own to it. A stalled one says hello and nothing more. Only the
last one decodes: real pages have a machine each.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys

import aiohttp
import cv2
import numpy as np


async def watch(session: aiohttp.ClientSession, url: str, stalled: bool, decodes: bool) -> None:
    """One page, until the run ends."""
    async with session.ws_connect(url, max_msg_size=0) as socket:
        await socket.receive_str()
        await socket.send_str('{"type":"hello"}')
        if stalled:
            await asyncio.Event().wait()
        async for message in socket:
            (length,) = struct.unpack(">I", message.data[:4])
            about = json.loads(message.data[4 : 4 + length])
            if decodes:
                cv2.imdecode(np.frombuffer(message.data, np.uint8, offset=4 + length), cv2.IMREAD_COLOR)
            await socket.send_str(json.dumps({"type": "shown", "number": about["number"]}))


async def main(url: str, pages: int, stalled: int) -> None:
    """So many pages, some of them stalled, until the first of the others ends."""
    cv2.setNumThreads(1)
    async with aiohttp.ClientSession() as session:
        watching = [
            asyncio.create_task(watch(session, url, place < stalled, decodes=place == pages - 1))
            for place in range(pages)
        ]
        await asyncio.wait(watching, return_when=asyncio.FIRST_COMPLETED)
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
