import anyio
from portal.office import office
from bitrix24_chat_mcp.demo import Fault


async def test_x():
    async with office() as o:
        t=anyio.current_time()
        l = await o.user.recent()
        assert anyio.current_time()==t
        print(len(l.chats) if hasattr(l,'chats') else l)
        assert await o.user.pin("chat1", pin=True) is not None
