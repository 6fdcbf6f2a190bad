/** Commands on a real terminal: colours, and lines that are drawn over others. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { testApp } from './test-app.ts'

const PROGRAM = fileURLToPath(new URL('../../bin/cohort', import.meta.url))
/** `script` of util-linux makes a terminal for a command. */
const HAS_TERMINAL = spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0

/** What a command writes on a terminal. */
async function onTerminal(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const command = [process.execPath, PROGRAM, ...args].map((word) => `'${word}'`).join(' ')
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { PATH: process.env.PATH, SHELL: '/bin/sh', TERM: 'xterm', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  await once(child, 'close', { signal: AbortSignal.timeout(60_000) })
  return output.replaceAll('\r\n', '\n')
}

test('colours are used on a terminal, but not with NO_COLOR or on a dumb terminal, where no line is redrawn', {
  skip: HAS_TERMINAL ? false : 'script (util-linux) is missing',
}, async () => {
  const { app } = testApp()
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  try {
    const status = (env: Readonly<Record<string, string>>) => onTerminal(['status', '--url', url], env)
    const backup = (env: Readonly<Record<string, string>>) =>
      onTerminal(['backup', '--out', '/dev/null', '--url', url], env)
    const coloured = await status({})
    assert.ok(coloured.startsWith('\u001b[33mDEGRADED\u001b[0m  '), coloured)
    // An empty NO_COLOR has no effect (no-color.org).
    assert.equal(await status({ NO_COLOR: '' }), coloured)
    const plain = await status({ NO_COLOR: '1' })
    assert.ok(plain.startsWith('DEGRADED  '), plain)
    assert.ok(!plain.includes('\u001b'), plain)
    // Without colours a line can still be drawn over another one.
    assert.ok((await backup({ NO_COLOR: '1' })).includes('\u001b[2K'))
    const dumb = await backup({ TERM: 'dumb' })
    assert.match(dumb, /^backed up 0 {2}0\/s\n/)
    assert.ok(!dumb.includes('\u001b') && !dumb.includes('\r'), dumb)
  } finally {
    await app.close()
  }
})
