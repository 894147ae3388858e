# One image for both services and all roles. How to run it: docs/guides/deploy.md.
# What is copied and run here is followed step by step by test/e2e/stack.test.ts, without Docker.

ARG NODE=22

FROM node:${NODE}-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages/core/package.json packages/core/
COPY packages/jsonpath/package.json packages/jsonpath/
COPY packages/platform/package.json packages/platform/
COPY apps/dispatcher/package.json apps/dispatcher/
COPY apps/notifications/package.json apps/notifications/
COPY apps/standalone/package.json apps/standalone/
COPY docs/reference/package.json docs/reference/
COPY examples/commands/package.json examples/commands/
COPY examples/proxymod/package.json examples/proxymod/
COPY examples/uppercase/package.json examples/uppercase/
# No install script of any package is needed.
RUN npm ci --ignore-scripts
COPY tsconfig.base.json tsconfig.json ./
COPY scripts scripts
COPY prisma prisma
COPY packages packages
COPY apps apps
COPY examples examples
RUN npm run build:quiet
# Prisma's own tool is an optional peer of its client, which needs it to be made, not to run.
RUN npm prune --omit=dev --omit=optional --omit=peer --ignore-scripts
RUN rm -rf packages/*/src apps/*/src examples/*/src

FROM node:${NODE}-bookworm-slim
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/packages packages
COPY --from=build /app/apps apps
COPY --from=build /app/examples examples
COPY --from=build /app/prisma prisma
COPY package.json LICENSE ./
COPY deploy/health.mjs deploy/
# Not 1000, which many hosts give to a person: a secret that this user owned would have to be its alone (chmod 600).
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin pacifica && install -d -o pacifica -g pacifica -m 700 /data
ENV NODE_ENV=production NOTIFICATIONS_HOST=0.0.0.0 DISPATCHER_HOST=0.0.0.0 DATA_DIR=/data
USER pacifica
VOLUME /data
EXPOSE 8070 8069
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 CMD ["node", "deploy/health.mjs", "http://127.0.0.1:8070/healthz"]
ENTRYPOINT ["node"]
# With room for young objects: it matches and delivers too, with hundreds of events on their way at once.
CMD ["--min-semi-space-size=32", "--max-semi-space-size=32", "apps/notifications/dist/main.js"]
