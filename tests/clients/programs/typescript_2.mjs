// The official TypeScript client, version 2: list the tools, list chats, pin one, read one error.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const [mode, address, ...args] = process.argv.slice(2);
const client = new Client({ name: "proof", version: "1" }, { versionNegotiation: { mode } });
await client.connect(
  address.startsWith("http")
    ? new StreamableHTTPClientTransport(new URL(address))
    : new StdioClientTransport({ command: address, args }),
);
const call = (name, given) => client.callTool({ name, arguments: given });
const { tools } = await client.listTools();
const listed = await call("list_recent_chats", { limit: 10 });
const chosen = listed.structuredContent.chats.find((chat) => !chat.pinned);
const pinned = await call("pin_chat", { dialog_id: chosen.dialog_id });
const refused = await call("pin_chat", { dialog_id: "chat999999" });
console.log(
  JSON.stringify({
    tools: tools.map((tool) => tool.name),
    listed: listed.structuredContent,
    pinned: pinned.structuredContent,
    refused: refused.isError && refused.content[0].text,
  }),
);
await client.close();
