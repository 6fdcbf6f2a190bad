import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { assertInstalled } from '../installed.ts'
import { commonCluster } from './shared-cluster.ts'

/** The longest time that curl may take: TIMEOUT, and some seconds for a busy machine. */
const ANSWER_MS = 10_000

test('every curl of the README is answered as it says', async () => {
  assertInstalled('curl')
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const examples = [...readme.matchAll(/^(curl -i .*?)\s+# (\d{3})( \w+)?$/gm)]
  assert.ok(examples.length >= 8, `the README has examples: ${examples.length}`)
  const cluster = await commonCluster()
  for (const [, command, status, code] of examples) {
    const here = command!.replace('localhost:8000', cluster.connectors[0]!.address)
    const { stdout } = await promisify(execFile)('bash', ['-c', `${here} --silent`], { timeout: ANSWER_MS })
    assert.match(stdout, new RegExp(`^HTTP/1.1 ${status} `), `${command}\n${stdout}`)
    if (code !== undefined) assert.match(stdout, new RegExp(`"code":"${code.trim()}"`))
  }
})
