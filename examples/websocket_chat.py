"""The application of docs/guide/websockets.md: who is in the room hears what anybody says."""

# [app]
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()
room: set[WebSocket] = set()


@app.websocket("/chat")
async def chat(socket: WebSocket) -> None:
    await socket.accept()
    room.add(socket)
    try:
        while True:
            text = await socket.receive_text()
            for other in list(room):
                await other.send_text(text)
    except WebSocketDisconnect:
        pass
    finally:
        room.discard(socket)


# [/app]
