/**
 * What each process loads at its start. A package costs up to 0.2 s of CPU to load, at each start and in each
 * test with processes. Code that few processes need is loaded by `await import(...)` where it is needed.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'

const root = new URL('..', import.meta.url)

/** What a file imports as it is loaded: neither types alone, nor what it loads later. */
const IMPORT = /^(?:import|export) (?!type\b)(?:[^'"]*? from )?'([^']+)'/gm

/** The packages and modules of Node.js that this file loads, with all files that it loads. */
async function loadedBy(start: string): Promise<{ packages: string[]; builtins: string[] }> {
  const files = new Set([start])
  const others = new Set<string>()
  for (const file of files) {
    for (const [, target = ''] of (await readFile(new URL(file, root), 'utf8')).matchAll(IMPORT)) {
      if (target.startsWith('.')) files.add(normalize(join(dirname(file), target)))
      else others.add(target)
    }
  }
  const [builtins, packages] = [[] as string[], [] as string[]]
  for (const name of [...others].sort()) (name.startsWith('node:') ? builtins : packages).push(name)
  return { packages, builtins }
}

const PACKAGES: { readonly [start: string]: readonly string[] } = {
  'src/cli/main.ts': ['commander'],
  'src/cli/up-command.ts': ['commander'],
  'src/cli/node-command.ts': ['commander'],
  'src/cli/connector-command.ts': ['commander'],
  'src/cli/up/up.ts': ['commander'],
  'src/node/main.ts': ['@grpc/grpc-js', 'pino', 'protobufjs/minimal.js'],
  'src/connector/main.ts': [
    '@fastify/static',
    '@fastify/swagger',
    '@fastify/swagger-ui',
    '@grpc/grpc-js',
    'fastify',
    'lru-cache',
    'pino',
    'protobufjs/minimal.js',
  ],
}

for (const [start, packages] of Object.entries(PACKAGES)) {
  test(`${start} loads no other package than these`, async () => {
    assert.deepEqual((await loadedBy(start)).packages, packages)
  })

  test(`${start} does not import node:http, which would load fetch (src/process/node-http.ts)`, async () => {
    assert.ok(!(await loadedBy(start)).builtins.includes('node:http'))
  })
}
