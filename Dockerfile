# Team server over HTTP. Build: docker build -t bitrix24-chat-mcp .
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY server server
COPY prompts prompts
# Compiled here, so that every start is as fast as the second.
RUN python -m venv /opt/server \
    && /opt/server/bin/pip install --no-cache-dir --compile '.[speed,replicas]'

FROM python:3.13-slim
LABEL org.opencontainers.image.title="bitrix24-chat-mcp" org.opencontainers.image.licenses="MIT" \
      io.modelcontextprotocol.server.name="io.github.bitrix24-chat-mcp/bitrix24-chat-mcp"
RUN useradd --system --no-create-home --shell /usr/sbin/nologin server
COPY --from=build /opt/server /opt/server
ENV PATH=/opt/server/bin:$PATH BITRIX24_TRANSPORT=http BITRIX24_HTTP__HOST=0.0.0.0 BITRIX24_HTTP__PORT=8000
USER server
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["bitrix24-chat-mcp"]
