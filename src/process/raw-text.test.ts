import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { escapeBytes } from './raw-text.ts'

test('bytes that are UTF-8 stay, and each other byte is escaped', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const wellFormed = text.toWellFormed()
      assert.equal(escapeBytes(Buffer.from(wellFormed)), wellFormed)
    }),
  )
  const cases: [Buffer, string][] = [
    [Buffer.from('caf\xe9', 'latin1'), 'caf\\xe9'],
    [Buffer.from([0xc3, 0xa9, 0xc3]), 'é\\xc3'],
    // A surrogate, and a character in more bytes than it needs.
    [Buffer.from([0xed, 0xa0, 0x80, 0xc0, 0x80]), '\\xed\\xa0\\x80\\xc0\\x80'],
  ]
  for (const [bytes, text] of cases) assert.equal(escapeBytes(bytes), text)
})

/** What a script prints of a process that bash starts: only bash can pass arguments that are not UTF-8. */
function run(script: string, program: string): string {
  const module = new URL('raw-text.ts', import.meta.url).href
  const code = `const raw = await import(${JSON.stringify(module)}); ${program}`
  return execFileSync('bash', ['-c', script, process.execPath, code]).toString()
}

test('arguments and variables are read as the bytes they are', {
  skip: !existsSync('/proc/self/cmdline'),
}, () => {
  const print = `console.log(raw.escapeBytes(raw.readRawList('cmdline').at(-1)),
    raw.escapeBytes(raw.readRawList('environ').find((entry) => entry.toString().startsWith('CAFE='))))`
  const script = `CAFE=$'caf\\xe8' "$0" --input-type=module -e "$1" $'caf\\xe9'`
  assert.equal(run(script, print), 'caf\\xe9 CAFE=caf\\xe8\n')
})

test('a working directory whose path is not UTF-8 text is told from one that is', {
  skip: !existsSync('/proc/self/cwd'),
}, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cohort-raw-text-'))
  try {
    const print = 'console.log(raw.isWorkingDirectoryText())'
    const script = (name: string) =>
      `cd '${directory}' && mkdir ${name} && cd ${name} && "$0" --input-type=module -e "$1"`
    assert.equal(run(script(`$'caf\\xe9'`), print), 'false\n')
    assert.equal(run(script(`$'caf\\xc3\\xa9'`), print), 'true\n')
    assert.equal(run(script(`$'\\xef\\xbf\\xbd'`), print), 'true\n')
  } finally {
    await rm(directory, { recursive: true })
  }
})
