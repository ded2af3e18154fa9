# Builds with everything, ships with what runs: no compiler, no tests, no root.
FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.base.json tsconfig.build.json ./
COPY src ./src
COPY bench ./bench
COPY scripts ./scripts
RUN npm run build && npm prune --omit=dev

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist/bundle ./dist/bundle
# Without the option, SIGUSR1 would open a debugger until sluice takes that signal.
RUN printf '#!/bin/sh\nexec node --disable-sigusr1 /app/dist/bundle/main.js "$@"\n' > /usr/local/bin/sluice \
    && chmod +x /usr/local/bin/sluice
USER node
# The configuration comes from a volume: -v ./sluice.yaml:/etc/sluice/sluice.yaml:ro
VOLUME /etc/sluice
STOPSIGNAL SIGTERM
# The configuration wants an admin section for this: on 127.0.0.1:9900 it needs no token.
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s CMD ["sluice", "healthcheck", "-c", "/etc/sluice/sluice.yaml"]
ENTRYPOINT ["sluice"]
CMD ["run", "-c", "/etc/sluice/sluice.yaml"]
