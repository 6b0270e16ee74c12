// A host of MCP Apps as the extension's own library makes one: it shows the server's page in a sandbox, and
// hands the page's calls to the test, which is the MCP client. The test reads `host.heard`.
import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

const host = (globalThis.host = { messages: [], heard: [], opened: [], told: [], ready: false });

addEventListener("message", ({ data }) => host.messages.push({ from: "page", ...data }));

const calls = async (params) => {
  host.heard.push(params);
  const answer = await fetch("/call", { method: "POST", body: JSON.stringify(params) });
  return answer.json();
};

host.open = async (capabilities, context) => {
  const frame = document.createElement("iframe");
  frame.sandbox = "allow-scripts";
  document.body.append(frame);
  const bridge = (host.bridge = new AppBridge(null, { name: "host", version: "1" }, capabilities, { hostContext: context }));
  bridge.oncalltool = calls;
  bridge.onupdatemodelcontext = async (params) => (host.context = params, {});
  bridge.onmessage = async (params) => (host.told.push(params), {});
  bridge.onopenlink = async (params) => (host.opened.push(params.url), {});
  bridge.addEventListener("sizechange", ({ height }) => (frame.style.height = `${height}px`));
  const initialized = new Promise((resolve) => bridge.addEventListener("initialized", resolve));
  const transport = new PostMessageTransport(frame.contentWindow, frame.contentWindow);
  const send = transport.send.bind(transport);
  transport.send = (message, options) => (host.messages.push({ from: "host", ...message }), send(message, options));
  await bridge.connect(transport);
  frame.src = "/page";
  await initialized;
};
