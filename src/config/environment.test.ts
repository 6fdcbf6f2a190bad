import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readEnvironment } from './environment.ts'
import { finder } from './lookup.ts'
import { SettingError } from './setting-error.ts'

async function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'cohort-environment-'))
  try {
    await run(directory)
  } finally {
    await rm(directory, { recursive: true })
  }
}

test('the environment and the .env file are read side by side, and frozen', async () => {
  await inDirectory(async (directory) => {
    await writeFile(join(directory, '.env'), '# settings\nPORT=9000\nHOSTS="a:1 b:1"\nEMPTY=\n')
    const { variables, dotEnv } = readEnvironment(directory)
    assert.equal(variables.PATH, process.env.PATH)
    assert.deepEqual({ ...dotEnv }, { PORT: '9000', HOSTS: 'a:1 b:1', EMPTY: '' })
    assert.ok(Object.isFrozen(variables) && Object.isFrozen(dotEnv))
    assert.equal(process.env.HOSTS, undefined, 'nothing is added to the process environment')
  })
})

test('no .env is no error', async () => {
  await inDirectory(async (directory) => {
    assert.deepEqual({ ...readEnvironment(directory).dotEnv }, {})
  })
})

test('a .env that is a directory, as of a Python virtual environment, is no settings file', async () => {
  await inDirectory(async (directory) => {
    await mkdir(join(directory, '.env'))
    const { dotEnv, dotEnvProblem } = readEnvironment(directory)
    assert.deepEqual([{ ...dotEnv }, dotEnvProblem], [{}, undefined])
  })
})

test('a byte order mark is not part of the first name', async () => {
  await inDirectory(async (directory) => {
    await writeFile(join(directory, '.env'), '\ufeffPORT=9000\r\nHOST=a\r\n')
    assert.deepEqual({ ...readEnvironment(directory).dotEnv }, { PORT: '9000', HOST: 'a' })
  })
})

test('a .env that cannot be read stops only what looks for a setting in it', async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, '.env')
    await symlink(path, path)
    const environment = readEnvironment(directory)
    const { dotEnvProblem } = environment
    assert.equal(dotEnvProblem, `${path} cannot be read (ELOOP): make it a readable file, or remove it`)
    assert.equal(finder({ port: '1' }, environment)('PORT')?.text, '1')
    assert.throws(() => finder({}, environment)('PORT'), new SettingError(dotEnvProblem))
  })
})

test('a .env that is not UTF-8 is refused by its path and line, in any encoding', async () => {
  await inDirectory(async (directory) => {
    const path = join(directory, '.env')
    for (const [bytes, line] of [
      [Buffer.from('PORT=1\nDATA_DIR=caf\xe9\n', 'latin1'), 2],
      [Buffer.from('\xfe\xff', 'latin1'), 1],
      [Buffer.from('\ufeffPORT=1', 'utf16le'), 1],
    ] as const) {
      await writeFile(path, bytes)
      const { dotEnv, dotEnvProblem } = readEnvironment(directory)
      assert.deepEqual({ ...dotEnv }, {})
      assert.equal(dotEnvProblem, `${path} is not UTF-8 text (line ${line}): save it as UTF-8, or remove it`)
    }
  })
})
