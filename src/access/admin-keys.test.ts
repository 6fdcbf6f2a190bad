import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { hashLineOf, parseAdminKeys } from './admin-keys.ts'
import { hashToken, newToken } from './key-token.ts'
import { AccessFileError, WatchedFile } from './watched-file.ts'

const [ONE, TWO] = [newToken(randomBytes), newToken(randomBytes)]

test('a file holds one hash in each line, and comments', () => {
  const text = `# of Alice\n${hashLineOf(ONE)}\r\n\n  ${hashLineOf(TWO)}  \n`
  assert.deepEqual(parseAdminKeys(text, 'f'), [hashToken(ONE), hashToken(TWO)])
})

test('a file without a hash is refused; one with the key itself is refused without showing it', () => {
  for (const [text, message] of [
    ['', /^f holds no hash: "cohort key hash" makes one$/],
    ['# nothing\n', /^f holds no hash/],
    [
      `${hashLineOf(ONE)}\nsha256:12`,
      /^f does not hold the hash of a key in line 2: "cohort key hash" makes it$/,
    ],
    [hashLineOf(ONE).toUpperCase(), /in line 1/],
    [ONE, /^f holds a key itself, and must hold its hash: "cohort key hash" makes it$/],
    [`${hashLineOf(ONE)}\n`.repeat(9), /^f holds more than 8 hashes$/],
  ] as const) {
    assert.throws(
      () => parseAdminKeys(text, 'f'),
      (error) => {
        assert.ok(error instanceof AccessFileError)
        assert.match(error.message, message)
        assert.doesNotMatch(error.message, new RegExp(ONE.slice(10)))
        return true
      },
    )
  }
})

test('a changed file is taken within a second; one that cannot be used is reported once, and changes nothing', () => {
  const directory = mkdtempSync(join(tmpdir(), 'cohort-admin-'))
  try {
    const path = join(directory, 'admin.hash')
    writeFileSync(path, hashLineOf(ONE))
    const clock = new ManualClock()
    const logged: string[] = []
    const log = (_fields: object, message: string) => void logged.push(message)
    const options = {
      subject: 'the admin keys',
      parse: parseAdminKeys,
      clock,
      logger: { info: log, warn: log, error: log } as never,
    }
    const keys = new WatchedFile({ ...options, path })
    assert.deepEqual(keys.value, [hashToken(ONE)])
    clock.advance(5_000)
    assert.deepEqual(logged, [])

    writeFileSync(path, `${hashLineOf(ONE)}\n${hashLineOf(TWO)}\n`)
    clock.advance(1_000)
    assert.deepEqual(keys.value, [hashToken(ONE), hashToken(TWO)])
    assert.deepEqual(logged.splice(0), ['the admin keys have changed, and are in use'])

    for (const [spoil, message] of [
      [
        () => writeFileSync(path, ''),
        /holds no hash.*: the file is not used, and the admin keys before it stay/,
      ],
      [() => renameSync(path, `${path}.gone`), /cannot be read \(ENOENT\): the file is not used/],
    ] as const) {
      spoil()
      clock.advance(5_000)
      assert.equal(logged.length, 1, logged.join())
      assert.match(logged.splice(0)[0]!, message)
      assert.deepEqual(keys.value, [hashToken(ONE), hashToken(TWO)])
    }

    writeFileSync(path, hashLineOf(TWO))
    clock.advance(1_000)
    assert.deepEqual(keys.value, [hashToken(TWO)])
    keys.close()
    assert.equal(clock.taskCount, 0)
    assert.throws(() => new WatchedFile({ ...options, path: join(directory, 'none') }), AccessFileError)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
