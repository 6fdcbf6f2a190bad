/** A version that stands in several files is the same in all of them. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'

const root = new URL('..', import.meta.url)

function read(path: string): Promise<string> {
  return readFile(new URL(path, root), 'utf8')
}

const manifest = JSON.parse(await read('package.json'))
const lock = JSON.parse(await read('package-lock.json'))

test('package.json, the lockfile and the changelog name the same version', async () => {
  assert.equal(lock.version, manifest.version, 'set it with `npm version --no-git-tag-version`')
  assert.equal(lock.packages[''].version, manifest.version, 'set it with `npm version --no-git-tag-version`')
  const sections = [...(await read('CHANGELOG.md')).matchAll(/^## (.+)$/gm)].map(([, title]) => title!)
  assert.equal(sections[0], 'Unreleased', 'the changelog begins with a section for what is not released yet')
  const [latest] = sections.slice(1)
  // Before the first release there is none.
  if (latest !== undefined) assert.match(latest, /^\d+\.\d+\.\d+ \(\d{4}-\d{2}-\d{2}\)$/)
  if (latest !== undefined) assert.equal(latest.split(' ')[0], manifest.version, 'docs/releasing.md, step 3')
})

test('.node-version is the Node that npm installs, and the image has the same major version', async () => {
  const { version } = lock.packages['node_modules/node']
  assert.equal((await read('.node-version')).trim(), version)
  const [, major] = /^FROM node:(\d+)-/m.exec(await read('Dockerfile')) ?? []
  assert.equal(major, version.split('.')[0])
})
