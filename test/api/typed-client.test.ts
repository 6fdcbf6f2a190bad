/**
 * Clients with types can be made of the API's description: they are generated, a program is type-checked
 * against them, with the TypeScript of this project, and runs against the API.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { generateTypes } from '../client/api-types.ts'
import { listen } from './raw-http.ts'
import { testApp } from './test-app.ts'

const run = promisify(execFile)
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))
const program = fileURLToPath(new URL('typed-client/program.ts', import.meta.url))

/** The options of this project that say how strict the check is, and nothing of this project's types. */
const TSCONFIG = {
  compilerOptions: {
    target: 'esnext',
    module: 'nodenext',
    lib: ['esnext', 'dom'],
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
  },
  files: ['right/program.ts', 'other/program.ts'],
}

/** Puts the program and the types of a document into a folder. */
async function addProgram(folder: string, document: object): Promise<void> {
  await mkdir(folder)
  await writeFile(join(folder, 'api.d.ts'), await generateTypes(document))
  await copyFile(program, join(folder, 'program.ts'))
}

/** What the compiler says; nothing when all is well. */
async function check(folder: string): Promise<string> {
  const tsc = join(modules, 'typescript/lib/tsc.js')
  return run(process.execPath, [tsc, '-p', '.'], { cwd: folder }).then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  )
}

test('a program is type-checked against generated types, and does what they say', async (context) => {
  const { app } = testApp()
  const { host, port } = await listen(app, context)
  const document = (await app.inject('/v1/openapi.json')).json()
  const other = structuredClone(document)
  other.components.schemas.CreateGroup.properties.groupId = { type: 'integer' }
  const root = await mkdtemp(join(tmpdir(), 'cohort-typed-client-'))
  context.after(() => rm(root, { recursive: true }))
  await symlink(modules, join(root, 'node_modules'))
  await writeFile(join(root, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  await writeFile(join(root, 'package.json'), '{"type":"module"}')
  await addProgram(join(root, 'right'), document)
  await addProgram(join(root, 'other'), other)

  // The check can fail: the program was not written for the other API.
  const errors = (await check(root)).split('\n').filter((line) => /error TS/.test(line))
  assert.deepEqual(
    errors.filter((line) => !line.startsWith('other/')),
    [],
  )
  assert.match(
    errors[0] ?? '',
    /program\.ts\(\d+,\d+\): error TS2322: Type 'string' is not assignable to type 'number'/,
  )

  const file = join(root, 'right/program.ts')
  const { stdout } = await run(process.execPath, [file, `http://${host}:${port}`])
  assert.deepEqual(stdout.trim().split('\n'), [
    'created typed at version 1',
    'taken: The group exists already',
    'read typed 1 - [team]',
    'listed typed 1 - [team], and nothing more',
    'patched typed 2 new []',
    'stale: read it, and decide again',
    'deleted typed',
    'gone: group_not_found',
  ])
})
