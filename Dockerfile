# The app: API, worker, gateway and bots are roles of one image. The sandbox has its own, src/sandbox/image/Dockerfile.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Optional packages are the embedded Postgres, which a container does not use.
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund
COPY prisma prisma
COPY prisma.config.ts ./
RUN node node_modules/prisma/build/index.js generate --config prisma.config.ts
COPY . .
# Tells ./deckhand that this checkout is prepared, see there.
RUN cp package-lock.json node_modules/.deckhand-package-lock.json \
  && cp prisma/schema.prisma src/generated/.deckhand-schema.prisma

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 DECKHAND_HOME=/data
RUN install -d -o node -g node /data
COPY --from=build /app /app
WORKDIR /app
USER node
VOLUME /data
EXPOSE 4100
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 4100}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["./deckhand"]
CMD ["up", "--role", "api"]
