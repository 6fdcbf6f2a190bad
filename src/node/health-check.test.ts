/** The health check of a container, as a process: its exit code, even if its output cannot be written. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { aNode } from '../testing/node-service.ts'

const PROGRAM = fileURLToPath(new URL('health-check.ts', import.meta.url))

async function check(address: string, redirection = '') {
  const script = `${redirection} exec "$@"`
  const child = spawn('bash', ['-c', script, 'bash', process.execPath, PROGRAM, address], {
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk
    })
  }
  await once(child, 'close', { signal: AbortSignal.timeout(30_000) })
  return { exitCode: child.exitCode, output }
}

const REDIRECTIONS = [
  '',
  'exec > /dev/full 2>&1;',
  'exec 3> >(exec true); wait $!; exec >&3 2>&3 3>&-;',
] as const

test('a node that serves is healthy, one that does not is not, also when the output of the check is lost', {
  skip: !existsSync('/dev/full'),
}, async (t) => {
  const { address, setServing } = await aNode(t)
  for (const redirection of REDIRECTIONS) {
    setServing(true)
    const healthy = await check(address, redirection)
    setServing(false)
    const failing = await check(address, redirection)
    assert.deepEqual([healthy.exitCode, failing.exitCode], [0, 1], redirection)
    const lines = [`${address} SERVING\n`, `${address} NOT_SERVING\n`]
    assert.deepEqual([healthy.output, failing.output], redirection === '' ? lines : ['', ''])
  }
  const away = await check('127.0.0.1:1')
  assert.equal(away.exitCode, 1)
  assert.match(away.output, /^127\.0\.0\.1:1 .*\n$/)
})
