/** Properties of the tree that no compiler checks. Each message says what to do. */
import assert from 'node:assert/strict'
import { glob, readFile } from 'node:fs/promises'
import { test } from 'node:test'

const root = new URL('..', import.meta.url)

function read(path: string): Promise<string> {
  return readFile(new URL(path, root), 'utf8')
}

/**
 * The files that match, as paths from the root. There must be one, so that a folder that has moved is
 * noticed.
 */
async function filesOf(patterns: readonly string[], exclude: readonly string[] = []): Promise<string[]> {
  const found = await Array.fromAsync(glob(patterns, { cwd: root, exclude }))
  assert.notEqual(found.length, 0, `no file matches ${patterns.join(', ')}: mend the pattern`)
  return found.sort()
}

/** The code that ships: no tests, and nothing that only tests use. */
function programFiles(folder: string, exclude: readonly string[] = []): Promise<string[]> {
  return filesOf([`${folder}/**/*.ts`], ['**/*.test.ts', '**/*.arbitrary.ts', ...exclude])
}

/** What a file imports, from literal `from`, `import` and `import()`. */
async function importsOf(file: string): Promise<string[]> {
  const text = await read(file)
  return [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map(([, target]) => target!)
}

async function assertNowhere(pattern: RegExp, files: readonly string[], advice: string): Promise<void> {
  for (const file of files) {
    for (const [index, line] of (await read(file)).split('\n').entries()) {
      assert.doesNotMatch(line, pattern, `${file}:${index + 1}: ${advice}`)
    }
  }
}

for (const folder of ['src/register', 'src/group']) {
  test(`${folder} imports only itself and assertions`, async () => {
    for (const file of await programFiles(folder)) {
      for (const target of await importsOf(file)) {
        const isAllowed = target === 'node:assert/strict' || /^\.\/[^/]+$/.test(target)
        assert.ok(isAllowed, `${file} imports ${target}: pass what it needs from there as an argument`)
      }
    }
  })

  test(`${folder} has no clock, no chance and no timers`, async () => {
    await assertNowhere(
      /\b(Date\.now|new Date\(\)|performance\.|Math\.random|setTimeout|setInterval|setImmediate|randomUUID)/,
      await programFiles(folder),
      'a simulation could not replay this: take times and ids as arguments',
    )
  })
}

test('no part of the program imports the simulator', async () => {
  for (const file of await programFiles('src', ['src/sim/**', 'src/testing/**'])) {
    for (const target of await importsOf(file)) {
      assert.doesNotMatch(target, /\/sim\//, `${file}: move what it needs out of src/sim`)
    }
  }
})

test('only the store of a node imports SQLite', async () => {
  const owners = /^src\/node\/store\/[a-z-]+\.ts$/
  for (const file of await programFiles('src')) {
    const isOwner = owners.test(file)
    const imports = await importsOf(file)
    assert.ok(
      isOwner || !imports.includes('node:sqlite'),
      `${file}: go through RecordStore (src/node/store/record-store.ts)`,
    )
  }
})

test('only the configuration reads the environment', async () => {
  await assertNowhere(
    /process\.env\b|NODE_ENV/,
    [...(await programFiles('src', ['src/config/**'])), ...(await programFiles('client/src'))],
    'take the value as an argument; src/config reads it',
  )
})

test('no comment leaves work for later', async () => {
  const files = await filesOf([
    '{src,client,test,bench,spec,proto,bin,docs}/**/*.*',
    'bin/cohort',
    '*.md',
    'Makefile',
  ])
  // In brackets, so that this line is not one of them.
  await assertNowhere(/TO[D]O|FIX[M]E|XX[X]/, files, 'do it, or open an issue for it')
})

test('what tests start does not outlive them, and none of their waits is without end', async () => {
  for (const file of await filesOf(['test/{cluster,long,postgres}/*.test.ts'])) {
    const text = await read(file)
    const startsProcesses =
      /from '[^']*\/(service|local-cluster|command|verify-under-faults|shared-trio|trio)\.ts'/.test(text)
    if (!startsProcesses) continue
    assert.match(text, /leaveNothing\(\)|sharedCluster\(|commonCluster/, `${file}: call leaveNothing()`)
    assert.doesNotMatch(text, /await once\(/, `${file}: give the wait an upper bound with within()`)
  }
})

test('no test prevents the others from running', async () => {
  await assertNowhere(
    /\b(test|it|suite|describe)\.only\b|\bonly: true/,
    await filesOf(['{src,test}/**/*.test.ts']),
    'remove the "only"',
  )
})

test('every dependency has its reason in docs/dependencies.md, and nothing else has one', async () => {
  const { dependencies, devDependencies } = JSON.parse(await read('package.json'))
  const document = await read('docs/dependencies.md')
  const documented = [...document.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name)
  const used = Object.keys({ ...dependencies, ...devDependencies })
  assert.deepEqual(
    documented.sort(),
    used.sort(),
    'give the table one row for each dependency of package.json',
  )
})

test('every dependency of the program is imported by it', async () => {
  const { dependencies } = JSON.parse(await read('package.json'))
  const files = [...(await programFiles('src')), ...(await programFiles('client/src'))]
  const texts = await Promise.all(files.map(read))
  for (const name of Object.keys(dependencies)) {
    const isUsed = texts.some((text) => text.includes(`'${name}'`) || text.includes(`'${name}/`))
    assert.ok(
      isUsed,
      `nothing in src or client names ${name}: remove it, or make it a development dependency`,
    )
  }
})

test('the example files name every setting', async () => {
  const variables =
    /export type Variable =((?:[\s|]*'[A-Z_]+')+)/.exec(await read('src/config/lookup.ts'))?.[1] ?? ''
  const settings = [...variables.matchAll(/'([A-Z_]+)'/g)].map(([, name]) => name)
  assert.notEqual(settings.length, 0, 'src/config/lookup.ts has no type Variable any more: mend this test')
  const inCompose = [...(await read('docker-compose.yml')).matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name)
  for (const [file, names] of [
    ['.env.example', settings],
    ['.env.docker.example', inCompose],
  ] as const) {
    const text = await read(file)
    for (const name of names)
      assert.match(text, new RegExp(`^#?${name}=`, 'm'), `document ${name} in ${file}`)
  }
})
