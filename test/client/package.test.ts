/**
 * The package of the client library: it is built as for publishing, and the code of its README is
 * type-checked against its declarations and runs, also with another Node of this machine.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { listen } from '../api/raw-http.ts'
import { testApp } from '../api/test-app.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const modules = join(root, 'node_modules')
const tsc = join(modules, 'typescript/lib/tsc.js')

const TSCONFIG = {
  compilerOptions: {
    target: 'es2022',
    module: 'nodenext',
    lib: ['es2023', 'esnext.disposable'],
    types: ['node'],
    strict: true,
    outDir: 'out',
    rootDir: '.',
  },
  include: ['*.ts'],
}

/** Says what the compiler has said, if it fails. */
async function compile(...args: readonly string[]): Promise<void> {
  await run(process.execPath, [tsc, ...args]).catch(({ stdout }) => assert.fail(stdout))
}

/** A folder in which the package is installed, without the files that are not published. */
async function installed(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cohort-client-'))
  t.after(() => rm(folder, { recursive: true }))
  const target = join(folder, 'node_modules/cohort-client')
  await mkdir(join(folder, 'node_modules/@types'), { recursive: true })
  await mkdir(target)
  await compile('-p', join(root, 'client/tsconfig.build.json'), '--outDir', join(target, 'dist'))
  await copyFile(join(root, 'client/package.json'), join(target, 'package.json'))
  for (const name of ['undici', 'undici-types', '@types/node'])
    await symlink(join(modules, name), join(folder, 'node_modules', name))
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  return folder
}

/** This Node, and the first other one of the search path on which the package may run. */
async function nodes(): Promise<string[]> {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(directory, 'node')
    const { stdout } = await run(path, ['--version']).catch(() => ({ stdout: '' }))
    const [, major, minor] = /^v(\d+)\.(\d+)/.exec(stdout) ?? []
    const isRecent = Number(major) > 20 || (Number(major) === 20 && Number(minor) >= 18)
    if (isRecent && stdout.trim() !== process.version) return [process.execPath, path]
  }
  return [process.execPath]
}

const readme = await readFile(join(root, 'client/README.md'), 'utf8')
const blocks = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!)

test('the package can be built, and the code of its README is correct and does what it says', async (t) => {
  const folder = await installed(t)
  for (const [index, code] of blocks.entries()) await writeFile(join(folder, `block-${index}.ts`), code)
  await compile('-p', folder)
  for (const node of await nodes()) {
    const { host, port } = await listen(testApp().app, t)
    const printed: string[] = []
    // The last block wants certificates; test/client/tls.test.ts has them.
    for (const index of blocks.slice(0, -1).keys()) {
      const file = join(folder, `out/block-${index}.js`)
      const code = await readFile(file, 'utf8')
      const there = code.replaceAll(/http:\/\/127\.0\.0\.1:800[04]/g, `http://${host}:${port}`)
      const copy = join(folder, `out/run-${index}.js`)
      await writeFile(copy, there)
      const { stdout } = await run(node, [copy], { timeout: 30_000 })
      printed.push(stdout.trim())
    }
    assert.deepEqual(printed, [
      'created version 1',
      'alice is owner',
      'payments\nalice owner\npayments',
      '1 groups',
    ])
  }
})

test('the package has the version of the program, its license, and its range of undici', async () => {
  const [own, program] = await Promise.all(
    ['client/package.json', 'package.json'].map(async (path) =>
      JSON.parse(await readFile(join(root, path), 'utf8')),
    ),
  )
  assert.equal(own.version, program.version)
  assert.equal(own.license, program.license)
  assert.equal(own.dependencies.undici, program.dependencies.undici)
  assert.equal(
    await readFile(join(root, 'client/LICENSE'), 'utf8'),
    await readFile(join(root, 'LICENSE'), 'utf8'),
  )
})
