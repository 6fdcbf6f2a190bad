import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { LocalCluster } from './local-cluster.ts'

test('every curl of the README is answered as it says', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const examples = [...readme.matchAll(/^(curl -i .*?)\s+# (\d{3})( \w+)?$/gm)]
  assert.ok(examples.length >= 8, `the README has examples: ${examples.length}`)
  await using cluster = await LocalCluster.start()
  for (const [, command, status, code] of examples) {
    const here = command!.replace('localhost:8000', cluster.connectors[0]!.address)
    const { stdout } = await promisify(execFile)('bash', ['-c', `${here} --silent`])
    assert.match(stdout, new RegExp(`^HTTP/1.1 ${status} `), `${command}\n${stdout}`)
    if (code !== undefined) assert.match(stdout, new RegExp(`"code":"${code.trim()}"`))
  }
})
