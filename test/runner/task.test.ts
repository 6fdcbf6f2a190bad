import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { summaryLines, taskLines } from './report.ts'
import { type Finished, failed, type Result, runAgain, runTasks, type Task } from './task.ts'

/** A task that ends when the test says so; `begun` has the names of those that were started. */
function aTask(name: string, kind: string, begun: string[]) {
  const { promise, resolve } = Promise.withResolvers<Result>()
  const run = () => {
    begun.push(name)
    return promise
  }
  return { task: { name, kind, run } satisfies Task, end: () => resolve(failed()) }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

test('a slot takes tasks of its kind in their order, and then those of other kinds', async () => {
  const begun: string[] = []
  const [a1, a2, b1, b2] = [
    aTask('a1', 'a', begun),
    aTask('a2', 'a', begun),
    aTask('b1', 'b', begun),
    aTask('b2', 'b', begun),
  ] as const
  const running = runTasks([a1.task, b1.task, a2.task, b2.task], ['a', 'b'], () => {})
  assert.deepEqual(begun, ['a1', 'b1'])
  b1.end()
  await settle()
  assert.deepEqual(begun, ['a1', 'b1', 'b2'])
  b2.end()
  await settle()
  assert.deepEqual(begun, ['a1', 'b1', 'b2', 'a2'])
  a1.end()
  a2.end()
  assert.deepEqual(
    (await running).map(({ task }) => task.name),
    ['b1', 'b2', 'a1', 'a2'],
  )
})

/** A finished task, whose further attempts end as `then` says. */
function aFailure(name: string, ...then: Result[]): Finished {
  const task = { name, kind: 'a', run: async () => then.shift()! }
  return { task, ms: 1, result: failed(`${name} failed at first`) }
}

test('a failed task is run once more: it passes and is named, or it has failed', async () => {
  const whole = {
    task: { name: 'whole', kind: 'a', run: () => assert.fail('it is not run again') },
    ms: 1,
    result: failed(),
  }
  const all = await runAgain(
    [whole, aFailure('shaky', failed()), aFailure('broken', failed('again'))],
    () => {},
  )
  assert.deepEqual(
    all.map(({ task, result }) => [task.name, result.failures, result.unstable ?? []]),
    [
      ['whole', [], []],
      ['shaky', [], ['shaky failed at first']],
      ['broken', ['again'], []],
    ],
  )
  const lines = summaryLines(all, 1_000)
  assert.equal(
    lines[lines.indexOf('Failed beside other tests, and passed alone:') + 1],
    '✖ shaky failed at first',
  )
  assert.equal(lines[lines.indexOf('Failed:') + 1], '✖ again')
})

test('when many tasks have failed, none is run again', async () => {
  const all = ['1', '2', '3', '4'].map((name) => aFailure(name, failed()))
  assert.deepEqual(await runAgain(all, () => {}), all)
})

test('a task that throws has failed, and the others are run', async () => {
  const finished: Finished[] = []
  const broken = { name: 'broken', kind: 'a', run: () => Promise.reject(new Error('no')) }
  const whole = { name: 'whole', kind: 'a', run: async () => failed() }
  await runTasks([broken, whole], ['a'], (one) => finished.push(one))
  assert.deepEqual(
    finished.map(({ task, result }) => [task.name, result.failures]),
    [
      ['broken', ['Error: no']],
      ['whole', []],
    ],
  )
})

/** Runs files with these texts, from a process of its own: node:test runs no files from within a test. */
async function run(
  texts: string | readonly string[],
  limits = { testMs: 1_000, fileMs: 20_000 },
): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), 'cohort-runner-'))
  try {
    const files = [texts].flat().map((_, index) => join(directory, `some${index}.test.mjs`))
    for (const [index, text] of [texts].flat().entries()) {
      await writeFile(files[index]!, `import { after, test } from 'node:test'\n${text}`)
    }
    const program = join(directory, 'program.mjs')
    await writeFile(
      program,
      `import { runFiles } from '${new URL('run-files.ts', import.meta.url)}'
       const result = await runFiles(${JSON.stringify(files)}, ${JSON.stringify(limits)})
       console.log(JSON.stringify(result))`,
    )
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const { stdout } = await promisify(execFile)(process.execPath, [program], { env, timeout: 30_000 })
    return JSON.parse(stdout) as Result
  } finally {
    await rm(directory, { recursive: true })
  }
}

test('the tests of a file are counted, with those inside others, and the outer ones are timed', async () => {
  const result = await run(`
    test('one', (t) => { t.diagnostic('a note') })
    test('two', async (t) => { await t.test('inside', () => {}) })
    test('three', { skip: 'not here' }, () => {})
  `)
  assert.deepEqual([result.passed, result.skipped, result.failures], [3, 1, []])
  assert.deepEqual(result.notes, ['a note', 'skipped: three (not here)'])
  assert.deepEqual(
    result.timed.map(({ name }) => name),
    ['one', 'two', 'three'],
  )
})

for (const [what, text, expected] of [
  ['a test that fails', "test('bad', () => { throw new Error('why') })", /^bad \(.*\)\nError: why/],
  [
    'a test in a test',
    "test('o', async (t) => { await t.test('i', () => { throw new Error('w') }) })",
    /^i \(/,
  ],
  ['what runs after all tests', "test('a', () => {})\nafter(() => { throw new Error('left') })", /left/],
  ['a file that cannot be run', "throw new Error('broken')", /some0\.test\.mjs/],
  ['a file without a test', '', /no test/],
  ['a test that waits for what will never come', "test('never', () => new Promise(() => {}))", /never/],
] as const) {
  test(`${what} fails the file, once and with its reason`, async () => {
    const { failures } = await run(text)
    assert.equal(failures.length, 1, failures.join('\n\n'))
    assert.match(failures[0]!, expected)
  })
}

test('files that run together are counted and named as if each ran alone', async () => {
  const result = await run([
    "test('one', () => {})",
    "test('two', () => {})\ntest('bad', () => { throw new Error('why') })",
  ])
  assert.equal(result.passed, 2)
  assert.match(result.failures.join('\n\n'), /^bad \(.*some1\.test\.mjs\)\nError: why/)
  assert.deepEqual(
    result.timed.map(({ name, file }) => [name, basename(file)]),
    [
      ['one', 'some0.test.mjs'],
      ['two', 'some1.test.mjs'],
      ['bad', 'some1.test.mjs'],
    ],
  )
})

for (const [what, text] of [
  ['that has no test', ''],
  ['that cannot be run', "throw new Error('broken')"],
] as const) {
  test(`a file ${what} among others fails them`, async () => {
    const { failures } = await run(["test('one', () => {})", text, "test('two', () => {})"])
    assert.match(failures.join('\n\n'), /some1\.test\.mjs/)
  })
}

test('a test that takes too long, and a file that does not end, have failed', async () => {
  const late = await run("test('late', () => new Promise((resolve) => setTimeout(resolve, 2_000)))", {
    testMs: 300,
    fileMs: 30_000,
  })
  assert.match(late.failures.join('\n'), /^late /)
  const endless = await run("test('quick', () => {})\nsetInterval(() => {}, 1_000)", {
    testMs: 10_000,
    fileMs: 3_000,
  })
  assert.equal(endless.failures.length, 1)
})

test('the CPU time of a file counts the processes that it has started', async () => {
  const busy = 'const start = process.cpuUsage(); while (process.cpuUsage(start).user < 400_000);'
  const text = `
    const { spawnSync } = await import('node:child_process')
    test('one', () => { spawnSync(process.execPath, ['-e', '${busy}']) })`
  const { cpuMs } = await run(text, { testMs: 20_000, fileMs: 30_000 })
  assert.ok(cpuMs! > 400 && cpuMs! < 5_000, `${cpuMs}`)
})

test('the report has a line for each task, the slowest and costliest first, and every failure at its end', () => {
  const task = { name: 'x.test.ts', kind: 'fast', run: async () => failed() }
  const timed = Array.from({ length: 12 }, (_, index) => ({
    name: `t${index}`,
    file: 'y.test.ts',
    ms: index * 1_000,
  }))
  const result = {
    passed: 11,
    skipped: 1,
    failures: ['t3 (y.test.ts)\nbecause'],
    notes: ['a note'],
    timed,
    cpuMs: 2_500,
  }
  const finished = { task, ms: 1_234, result }
  assert.deepEqual(taskLines(finished), [
    '✖ x.test.ts  11 passed, 1 skipped, 1 FAILED  1.2 s, CPU 2.5 s',
    '    a note',
    '    ✖ t3 (y.test.ts)',
    '    because',
  ])
  const summary = summaryLines([finished], 65_000)
  assert.equal(summary[1], 'The 10 slowest tests:')
  assert.equal(summary[2], '  11.0 s  t11 (y.test.ts)')
  assert.equal(summary[11], '   2.0 s  t2 (y.test.ts)')
  assert.deepEqual(summary.slice(13, 15), ['The most CPU:', '   2.5 s  x.test.ts'])
  assert.deepEqual(summary.slice(-4), [
    'Failed:',
    '✖ t3 (y.test.ts)\nbecause',
    '',
    '11 tests passed, 1 skipped, 1 failed, in 65.0 s, CPU 2.5 s',
  ])
})
