/**
 * Clients with types can be made of the API's description: they are generated, a program is type-checked
 * against them, with the TypeScript of this project, and runs against the API.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
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
  files: ['program.ts'],
}

async function folderWithTypes(context: TestContext, document: object): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cohort-typed-client-'))
  context.after(() => rm(folder, { recursive: true }))
  await symlink(modules, join(folder, 'node_modules'))
  await writeFile(join(folder, 'api.d.ts'), await generateTypes(document))
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  await copyFile(program, join(folder, 'program.ts'))
  return folder
}

/** What the compiler says; nothing when all is well. */
async function check(folder: string): Promise<string> {
  const tsc = join(modules, 'typescript/lib/tsc.js')
  return run(process.execPath, [tsc, '-p', folder]).then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  )
}

test('a program is type-checked against generated types, and does what they say', async (context) => {
  const { app } = testApp()
  const { host, port } = await listen(app, context)
  const folder = await folderWithTypes(context, (await app.inject('/v1/openapi.json')).json())
  assert.equal(await check(folder), '')
  const { stdout } = await run(process.execPath, [join(folder, 'program.ts'), `http://${host}:${port}`])
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

test('the check of the program can fail: another API is not what it was written for', async (context) => {
  const document = (await testApp().app.inject('/v1/openapi.json')).json()
  document.components.schemas.CreateGroup.properties.groupId = { type: 'integer' }
  assert.match(
    await check(await folderWithTypes(context, document)),
    /program\.ts\(\d+,\d+\): error TS2322: Type 'string' is not assignable to type 'number'/,
  )
})
