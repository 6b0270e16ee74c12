// The official TypeScript clients, versions 1 and 2: sign in at a server of which only the address is known.
// Prints the page that a person must open, reads what the browser came back with, and lists the chats.
import { createInterface } from "node:readline/promises";

const [version, address, back] = process.argv.slice(2);
const { Client, StreamableHTTPClientTransport, UnauthorizedError } =
  version === "2"
    ? await import("@modelcontextprotocol/client")
    : {
        ...(await import("@modelcontextprotocol/sdk/client/index.js")),
        ...(await import("@modelcontextprotocol/sdk/client/streamableHttp.js")),
        ...(await import("@modelcontextprotocol/sdk/client/auth.js")),
      };
const kept = {};
const authProvider = {
  redirectUrl: back,
  clientMetadata: { redirect_uris: [back], client_name: "TypeScript", token_endpoint_auth_method: "none" },
  clientInformation: () => kept.client,
  saveClientInformation: (client) => void (kept.client = client),
  tokens: () => kept.tokens,
  saveTokens: (tokens) => void (kept.tokens = tokens),
  codeVerifier: () => kept.verifier,
  saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
  redirectToAuthorization: (page) => console.log(page.href),
};
const transport = () => new StreamableHTTPClientTransport(new URL(address), { authProvider });
const client = () => new Client({ name: "proof", version: "1" });

const first = transport();
try {
  await client().connect(first);
  throw new Error("the server let in somebody who has not signed in");
} catch (error) {
  if (!(error instanceof UnauthorizedError)) throw error;
}
const lines = createInterface({ input: process.stdin });
const { value } = await lines[Symbol.asyncIterator]().next();
const came = new URLSearchParams(value);
await (version === "2" ? first.finishAuth(came) : first.finishAuth(came.get("code")));
const signedIn = client();
await signedIn.connect(transport());
const listed = await signedIn.callTool({ name: "list_recent_chats", arguments: {} });
console.log(JSON.stringify(listed.structuredContent.chats.map((chat) => chat.dialog_id)));
await signedIn.close();
lines.close();
