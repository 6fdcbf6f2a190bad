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
CMD ["npm", "run", "test:all"]

FROM base AS source
COPY . .
RUN find src -name '*.test.ts' -delete && rm -rf src/sim src/testing

# What the image has beside the program: Node with the libraries that it loads, one user, and empty folders
# for volumes. A new volume takes its owner from the folder that it is mounted on.
FROM base AS runtime
RUN mkdir -p /runtime/etc /runtime/tmp /volumes/data /volumes/certs/ca /volumes/admin-key /volumes/admin-hash \
      /volumes/database /volumes/home/node \
  && chmod 1777 /runtime/tmp \
  && cp --parents -L "$(command -v node)" $(ldd "$(command -v node)" | grep -o '/[^ ]*') /runtime \
  && printf '%s\n' 'root:x:0:0:root:/:/none' 'node:x:1000:1000::/home/node:/none' > /runtime/etc/passwd \
  && printf '%s\n' 'root:x:0:' 'node:x:1000:' > /runtime/etc/group \
  && printf '%s\n' 'hosts: files dns' > /runtime/etc/nsswitch.conf

# There is no shell, no package manager and no other program in this image, for whoever breaks into it.
FROM scratch AS cohort
COPY --from=runtime /runtime/ /
COPY --from=runtime --chown=1000:1000 /volumes/ /
WORKDIR /app
COPY --from=base /app/package.json package.json
COPY --from=dependencies /app/node_modules node_modules
COPY --from=source /app/LICENSE LICENSE
COPY --from=source /app/bin bin
COPY --from=source /app/client/package.json client/package.json
COPY --from=source /app/client/src client/src
COPY --from=source /app/proto proto
COPY --from=source /app/src src
ENV PATH=/usr/local/bin
USER node
ENTRYPOINT ["node", "bin/cohort"]
CMD ["--help"]
