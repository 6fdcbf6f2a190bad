import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

function sim(...args: string[]) {
  const main = fileURLToPath(new URL('main.ts', import.meta.url))
  return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })
}

test('an argument that the search cannot use is named in a line', () => {
  for (const [option, value] of [
    ['--world', 'tiny'],
    ['--seed', '1.5'],
    ['--minutes', '0'],
  ] as const) {
    const { status, stderr } = sim(option, value)
    assert.equal(status, 1)
    assert.match(stderr, new RegExp(`^error: option '${option} .*${value}.*\\n$`))
  }
})

test('a search says how much it has covered, and one seed is told as a conversation', () => {
  assert.match(
    sim('--world', 'small', '--minutes', '0.01').stdout,
    /^small: \d+ runs, \d+ messages, 0 failures$/m,
  )
  assert.match(sim('--world', 'small', '--seed', '7').stdout, /^c\d+ {2}\S/m)
})
