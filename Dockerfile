FROM node:26-bookworm-slim AS base
WORKDIR /app
COPY package.json package-lock.json .npmrc ./

# What the program needs to run, and no more.
FROM base AS dependencies
RUN npm ci --omit=dev

# Everything, for `make docker-test`. No install scripts: the only one would install Node, which the image has
# already.
FROM base AS test
# The examples of the README are tested as they stand there, with curl.
RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
RUN npm ci --ignore-scripts
COPY . .
USER node
CMD ["npm", "test"]

FROM base AS source
COPY . .
RUN find src -name '*.test.ts' -delete && rm -rf src/sim src/testing

FROM base AS cohort
COPY --from=dependencies /app/node_modules node_modules
COPY --from=source /app/LICENSE LICENSE
COPY --from=source /app/bin bin
COPY --from=source /app/client/package.json client/package.json
COPY --from=source /app/client/src client/src
COPY --from=source /app/proto proto
COPY --from=source /app/src src
# A new volume takes its owner from the folder that it is mounted on.
RUN mkdir -p /data /certs/ca /admin-key /admin-hash /database && \
  chown -R node:node /data /certs /admin-key /admin-hash /database
USER node
ENTRYPOINT ["bin/cohort"]
CMD ["--help"]
