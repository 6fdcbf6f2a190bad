/** Compares what is written about the models of `spec/` with what `spec/run.sh` runs. `make spec` runs it. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'

const root = new URL('..', import.meta.url)

function read(path: string): Promise<string> {
  return readFile(new URL(path, root), 'utf8')
}

/** One search of a model. `switches` are the names of the macros that it sets. */
type Row = Readonly<{ expected: string; model: string; title: string; switches: readonly string[] }>

/** The rows of the runner, with the values of its shell variables. */
async function rowsOfRunner(): Promise<Row[]> {
  const script = (await read('spec/run.sh')).replaceAll('\\\n', ' ')
  const variables = new Map(
    [...script.matchAll(/^(\w+)='(-D[^']*)'$/gm)].map(([, name, value]) => [name!, value!] as const),
  )
  const calls = script.matchAll(/^row +(clean|broken) +(\S+) +'([^']+)' +(?:'([^']*)'|"([^"]*)")/gm)
  return [...calls].map(([, expected, model, title, literal, quoted]) => {
    const text = literal ?? quoted!.replace(/\$(\w+)/g, (_, name) => variables.get(name) ?? assert.fail(name))
    const switches = [...text.matchAll(/-D(\w+)/g)].map(([, name]) => name!)
    return { expected: expected!, model: model!, title: title!, switches }
  })
}

/** The cells of each line of a Markdown table whose first cell matches. */
function cellsOf(markdown: string, first: RegExp): string[][] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .slice(2, -2)
        .split(' | ')
        .map((cell) => cell.trim()),
    )
    .filter(([cell]) => first.test(cell!))
}

const MODELS = ['exactly-once', 'tombstone-removal']

async function resultsOfReadme(): Promise<string[][]> {
  return cellsOf(await read('spec/README.md'), new RegExp(`^(${MODELS.join('|')})$`))
}

/** The macros that a model may be given: all that it tests. */
async function switchesOf(model: string): Promise<Set<string>> {
  const source = await read(`spec/${model}.pml`)
  return new Set([...source.matchAll(/^#(?:ifdef|ifndef) (\w+)$/gm)].map(([, name]) => name!))
}

/** Bounds that keep their default in every row, and switches that only make traces easier to read. */
const NEVER_SET: { readonly [model: string]: readonly string[] } = {
  'exactly-once': ['UNSORTED', 'WITHOUT_LEARN'],
  'tombstone-removal': ['UNSORTED', 'MAX_ROUND'],
}

test('the table of the models names the rows that are run, in their order, and what is expected of each', async () => {
  const rows = await rowsOfRunner()
  assert.equal(
    rows.length,
    (await read('spec/run.sh')).match(/^row /gm)?.length,
    'the test reads every row of run.sh',
  )
  const results = await resultsOfReadme()
  assert.deepEqual(
    results.map(([model, title]) => [model, title]),
    rows.map(({ model, title }) => [model, title]),
  )
  for (const [index, { expected, title }] of rows.entries()) {
    const [, , states, depth, result] = results[index]!
    assert.match(
      result!,
      expected === 'clean' ? /^complete, no violation$/ : /^violation at depth \d+$/,
      title,
    )
    assert.match(states!, /^\d{1,3}(,\d{3})*$/, title)
    assert.match(depth!, /^\d+$/, title)
  }
})

for (const model of MODELS) {
  test(`every switch of ${model}.pml is set by a row, and no row sets one that the model does not have`, async () => {
    const rows = (await rowsOfRunner()).filter((row) => row.model === model)
    const used = new Set([...rows.flatMap(({ switches }) => switches), ...NEVER_SET[model]!])
    assert.deepEqual([...used].sort(), [...(await switchesOf(model))].sort())
  })
}

test('a row that breaks a rule names its switch, and the histories tell what each breaks', async () => {
  const told = cellsOf(await read('spec/README.md'), /^`[A-Z_]+`/).flatMap(([names]) =>
    [...names!.matchAll(/`(\w+)`/g)].map(([, name]) => name!),
  )
  const named: string[] = []
  for (const { expected, title, switches } of await rowsOfRunner()) {
    const name = /\((\w+)\)$/.exec(title)?.[1]
    if (name !== undefined) assert.ok(switches.includes(name), `${title}: that switch is not set`)
    if (expected === 'broken' && !/^D\d/.test(title)) named.push(name ?? assert.fail(title))
  }
  assert.deepEqual(told.sort(), named.sort())
})

test('the summary for readers has the figures of the models', async () => {
  const summary = cellsOf(await read('docs/verification.md'), /^`[A-Z_]+`$/)
  const results = await resultsOfReadme()
  for (const [name, states] of summary) {
    const result = results.find(([, title]) => title!.endsWith(`(${name!.replaceAll('`', '')})`))
    assert.equal(states, result?.[2], `${name} in docs/verification.md`)
  }
  const broken = results.filter(
    ([, title, , , result]) => !/^D\d/.test(title!) && result!.startsWith('violation'),
  )
  assert.equal(summary.length, broken.length)
})
