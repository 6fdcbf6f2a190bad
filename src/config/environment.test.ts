import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readEnvironment } from './environment.ts'
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

test('a .env that cannot be read is refused by its path', async () => {
  await inDirectory(async (directory) => {
    await mkdir(join(directory, '.env'))
    assert.throws(
      () => readEnvironment(directory),
      (error: unknown) => error instanceof SettingError && error.message.includes(join(directory, '.env')),
    )
  })
})
