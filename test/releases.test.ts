/**
 * What a module takes it also gives back: timers, listeners, abort controllers, handles, and entries of maps
 * and sets that live as long as the process. These claims read the code. They hold for every module, and they
 * notice a release that was forgotten where no test watches the resource. The tests beside the modules say
 * when a resource is released.
 */
import assert from 'node:assert/strict'
import { glob, readFile } from 'node:fs/promises'
import { test } from 'node:test'

const root = new URL('..', import.meta.url)

const PROGRAM =
  /^(src\/(?!sim|testing|linearizability|engines\/contract|register|group)|client\/src\/(?!api-types))/

type Module = Readonly<{ file: string; text: string }>

const names = (await Array.fromAsync(glob(['src/**/*.ts', 'client/src/**/*.ts'], { cwd: root }))).sort()
const modules: readonly Module[] = await Promise.all(
  names
    .filter((file) => PROGRAM.test(file) && !file.endsWith('.test.ts'))
    .map(async (file) => ({ file, text: withoutComments(await readFile(new URL(file, root), 'utf8')) })),
)

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')
}

/** Whether code matches, with `NAME` in the pattern standing for a name. */
function has(text: string, pattern: string, name: string): boolean {
  return new RegExp(pattern.replaceAll('NAME', name.replaceAll(/[#$.]/g, '\\$&')), 'm').test(text)
}

/** The matches of a pattern whose group is a name, as `file: name`, for which `isFine` does not hold. */
function lacking(pattern: RegExp, isFine: (text: string, name: string) => boolean): string[] {
  return modules.flatMap(({ file, text }) =>
    [...text.matchAll(pattern)]
      .filter(([, name]) => !isFine(text, name!))
      .map(([, name]) => `${file}: ${name}`),
  )
}

/** How many matches there are, so that a pattern that finds nothing any more is noticed. */
function countOf(pattern: RegExp): number {
  return modules.reduce((sum, { text }) => sum + [...text.matchAll(pattern)].length, 0)
}

/**
 * The code that runs when an object of a class is closed: `close` or `stop`, and the methods that they call.
 */
function closingCode(text: string): string {
  const methods = new Map(
    [...text.matchAll(/^ {2}(?:async )?(?:get )?(#?\w+)\([^\n]*\{\n([\s\S]*?)^ {2}\}/gm)].map(
      ([, name, body]) => [name!, body!],
    ),
  )
  const seen = new Set(['close', 'stop', 'end', 'ended', 'destroy', '_destroy'])
  for (const name of seen) {
    for (const [, called] of (methods.get(name) ?? '').matchAll(/this\.(#?\w+)\(/g)) seen.add(called!)
  }
  return [...seen].map((name) => methods.get(name) ?? '').join('\n')
}

test('every timer has a name by which it is stopped, or does not keep the process running', () => {
  const timers = /(?<!\w)(?:setTimeout|setInterval)\(|\b(?:clock|systemClock|#clock)\.after\(/g
  assert.ok(countOf(timers) > 40)
  const nameless = modules.flatMap(({ file, text }) =>
    text
      .split('\n')
      .filter((line) => new RegExp(timers).test(line))
      .filter(
        (line) =>
          !/=\s*(?:next && |timeoutMs === undefined \? undefined : )?(?:new )?\S*(?:setTimeout|setInterval|after)\(|\?\?= |\.unref\(\)|void clock\.after/.test(
            line,
          ),
      )
      .map((line) => `${file}: ${line.trim()}`),
  )
  assert.deepEqual(nameless, [])
})

test('a timer that was set is stopped somewhere in its module', () => {
  const named = /\bconst (\w+) =\s*(?:timeoutMs === undefined \? undefined : )?(?:setTimeout|setInterval)\(/g
  assert.ok(countOf(named) > 6)
  assert.deepEqual(
    lacking(named, (text, name) => has(text, 'clear(Timeout|Interval)\\(NAME\\)', name)),
    [],
  )
  const cancelled =
    /(?<!#)\b(cancel\w*|late)\b =\s*(?:systemClock|this\.#(?:options\.)?clock|clock)\.after\(/g
  assert.ok(countOf(cancelled) > 10)
  assert.deepEqual(
    lacking(cancelled, (text, name) =>
      has(text, '(?<![#\\w])NAME\\??\\.?\\(\\)|add\\(NAME\\)|return NAME\\b|\\{ NAME \\}|NAME,$', name),
    ),
    [],
  )
})

test('a timer that an object holds is stopped when the object is closed', () => {
  const held =
    /this\.(#cancel\w*) (?:=|\?\?=)\s*(?:next && )?(?:systemClock|this\.#(?:options\.)?clock|clock)\.after\(/g
  assert.ok(countOf(held) > 15)
  // It has no end of its own: its timer lives as long as the write that waits longest.
  const WITHOUT_END = 'src/engines/postgres/write-queue.ts: #cancelExpiry'
  const fields = lacking(held, (text, name) =>
    has(closingCode(text), 'this\\.NAME(\\?\\.)?\\(\\)|of \\[[^\\]]*this\\.NAME\\b', name),
  )
  assert.deepEqual([...new Set(fields)], [WITHOUT_END])
})

test('timers that an object holds in a set are stopped when the object is closed', () => {
  const held = /this\.(#\w+)\.add\(cancel\)/g
  assert.ok(countOf(held) > 1)
  assert.deepEqual(
    lacking(held, (text, name) => has(text, 'for \\(const cancel of this\\.NAME\\) cancel\\(\\)', name)),
    [],
  )
})

test('an abort controller is aborted: one of an object when the object is closed', () => {
  const local = /\bconst (\w+) = new AbortController\(\)/g
  const ofObject = /readonly (#\w+) = new AbortController\(\)/g
  assert.ok(countOf(local) > 8 && countOf(ofObject) > 8)
  assert.deepEqual(
    lacking(local, (text, name) => has(text, 'NAME\\.abort\\(|this\\.#NAME\\?\\.abort\\(', name)),
    [],
  )
  assert.deepEqual(
    lacking(ofObject, (text, name) => has(closingCode(text), 'this\\.NAME\\.abort\\(', name)),
    [],
  )
})

test('a listener on a signal to abort is removed', () => {
  const added = /addEventListener\('abort', (\w+)/g
  assert.ok(countOf(added) > 10)
  assert.deepEqual(
    lacking(added, (text, name) => has(text, "removeEventListener\\('abort', NAME\\)", name)),
    [],
  )
})

test('a listener on the process is removed, but for those that stay as long as the process', () => {
  const STAY = /^src\/(process\/stop-signal|cli\/stop-with-parent)\.ts/
  const added = /process\.on\((?:name|'\w+'), ([\w.#]+)/g
  assert.ok(countOf(added) > 4)
  assert.deepEqual(
    lacking(added, (text, name) => has(text, "process\\.off\\((name|'\\w+'), NAME\\)", name)).filter(
      (found) => !STAY.test(found),
    ),
    [],
  )
})

test('a map or a set of an object loses entries as well as it gets them', () => {
  const held = /readonly (#\w+) = new (?:Map|Set)\b/g
  assert.ok(countOf(held) > 30)
  const growing = lacking(
    held,
    (text, name) =>
      !has(text, 'this\\.NAME\\.(set|add)\\(', name) || has(text, 'this\\.NAME\\.delete\\(', name),
  )
  assert.deepEqual(growing, [
    // As long as one gap of a watch.
    'src/engines/cohort/changes/catch-up.ts: #keys',
    // One entry for each schema of the API.
    'src/http/docs/components.ts: #schemas',
    // Cleared at the end of each epoch.
    'src/membership/epochs.ts: #claims',
    // One for each cluster that was found at the hosts.
    'src/membership/search.ts: #seen',
    // One for each service of a node.
    'src/node/health.ts: #statuses',
    // One for each kind of certificate.
    'src/tls/expiry.ts: #logged',
    // They stay as long as the files are watched.
    'src/tls/tls-files.ts: #listeners',
  ])
})

test('a handle that was opened is closed in its module', () => {
  const opened =
    /\b(?:const |let |this\.)?(#?\w+)\b (?:\?\?)?= (?:await )?(?:new (?:Worker|DatabaseSync|Pool|Agent|Client)\(|openSync\()/g
  assert.ok(countOf(opened) > 8)
  assert.deepEqual(
    lacking(opened, (text, name) =>
      has(
        text,
        '\\bNAME\\??\\.(close|destroy|end|terminate)\\(|closeSync\\((this\\.)?NAME\\)|(this\\.)NAME\\??\\.(close|destroy|end)\\(|new Socket\\(\\{ NAME,|return NAME\\b',
        name,
      ),
    ),
    [],
  )
})

test('what a call has returned so that it can be ended is called', () => {
  const made = /\bconst ((?:end|cancel|stop|leave|forget|release)(?!Ms)[A-Z]\w*) =/g
  assert.ok(countOf(made) > 3)
  const left = lacking(made, (text, name) =>
    has(text, '(?<!\\.)\\bNAME(\\?\\.)?\\(\\)|[(,] NAME[,)]|[(]NAME[,)]|\\{ NAME[ ,]', name),
  )
  assert.deepEqual(left, [])
})

/** What opens something, what closes it, and in how many modules it is opened at least. */
const PAIRS: readonly Readonly<{ what: string; opens: RegExp; closes: RegExp; least: number }>[] = [
  {
    what: 'client of the API',
    opens: / = new ApiClient\(/g,
    closes: /await client\.close\(\)/g,
    least: 10,
  },
  {
    what: 'set of links of a verification',
    opens: / = openLinks\(/g,
    closes: /await closeLinks\(links\)/g,
    least: 1,
  },
  {
    what: 'server',
    opens: /await listenHttp\(/g,
    // A server of the API is closed with its app, which stops listening when it drains.
    closes: /^ +(?:await app\.close|stopListening)\(/gm,
    least: 2,
  },
  {
    what: 'session with Postgres',
    opens: /await (?:this\.#)?sessions\.acquire\(/g,
    closes: /sessions\.release\(/g,
    least: 4,
  },
  {
    what: 'file of a command',
    opens: / = await (?:BackupSource\.open|NewFile\.open)\(/g,
    closes: /await (?:source|file\??)\.(?:close|discard)\(\)/g,
    least: 2,
  },
]

for (const { what, opens, closes, least } of PAIRS) {
  test(`each ${what} that a module opens is closed there`, () => {
    const counts = modules
      .map(({ file, text }) => ({
        file,
        opened: text.match(opens)?.length ?? 0,
        closed: text.match(closes)?.length ?? 0,
      }))
      .filter(({ opened }) => opened > 0)
    assert.ok(counts.length >= least, `only ${counts.length} modules open one: mend the pattern`)
    assert.deepEqual(
      counts.filter(({ opened, closed }) => closed < opened),
      [],
    )
  })
}

test('a connection, a stream or a call that is kept in a set is taken out of it', () => {
  const kept = /\b(#?\w+)\.add\((?:socket|connection|call|stream|response)\)/g
  assert.ok(countOf(kept) > 5)
  const removed = '\\bNAME\\.(delete|clear)\\(|\\bNAME = new Set'
  const left = lacking(kept, (text, name) => has(text, removed.replace('\\bNAME', '(?<![\\w])NAME'), name))
  // The class of its connections, which removes them itself.
  assert.deepEqual(left, ['src/http/drain.ts: connections'])
})

test('each pause of a part that can be stopped ends when it is stopped', () => {
  // These are bounded by the work that they belong to, or end with the process.
  const BOUNDED = [
    'src/cli/generate/send-batches.ts',
    'src/cli/generate/verify-on-nodes.ts',
    'src/cli/up/up.ts',
    'src/cli/verify/clean-up.ts',
    'src/cli/verify/verify.ts',
    'src/cli/verify/workload.ts',
    'src/engines/postgres/row-store.ts',
    'src/upkeep/repair/pace.ts',
  ]
  const deaf = modules.flatMap(({ file, text }) =>
    [...text.matchAll(/(?<!function )\bsleep\(.*$/gm)]
      .filter(([line]) => !/signal/.test(line))
      .map(() => file),
  )
  assert.deepEqual([...new Set(deaf)], BOUNDED)
})

/** The classes whose objects have to be closed, and by which method. */
const closable = new Map(
  modules.flatMap(({ text }) =>
    [...text.matchAll(/^export class (\w+)[\s\S]*?^\}/gm)].flatMap(([body, name]) => {
      const [, method] = /^ {2}(?:async )?(close|stop)\(/m.exec(body) ?? []
      return method === undefined ? [] : [[name!, method] as const]
    }),
  ),
)

test('whoever makes an object that has to be closed closes it', () => {
  assert.ok(closable.size > 25, `only ${closable.size} classes have to be closed: mend the pattern`)
  const left: string[] = []
  for (const { file, text } of modules) {
    for (const [, ofObject, local, made] of text
      .matchAll(/(?:this\.|readonly )?(#\w+) \??\??= new (\w+)\(|const (\w+) = (?:\S+ && )?new (\w+)\(/g)
      .map(([all, field, type, name, other]) => [all, field, name, type ?? other])) {
      const method = closable.get(made!)
      if (method === undefined) continue
      const isClosed =
        ofObject === undefined
          ? has(text, `\\bNAME\\??\\.${method}\\(|(#\\w+) = NAME$|return NAME$`, local!)
          : has(closingCode(text), `this\\.NAME\\??\\.${method}\\(`, ofObject)
      if (!isClosed) left.push(`${file}: ${ofObject ?? local} (${made})`)
    }
  }
  assert.deepEqual(left, [
    // The API that it serves closes it when it has drained.
    'src/connector/main.ts: admission (Admission)',
    // The set of open watches closes it.
    'src/http/v1/watch/watch.ts: watcher (Watcher)',
    // The epoch that it is made for closes it.
    'src/membership/epoch.ts: client (RegisterClient)',
    // Each operation takes itself off when it has ended.
    'src/replication/register-client.ts: #deadlines (Deadlines)',
  ])
})

/** What the main function of a process opens, and must close before the process may end. */
const PROCESSES: Readonly<Record<string, readonly string[]>> = {
  'src/connector/main.ts': ['app', 'authentication', 'engine', 'nodeTls?', 'apiTls?', 'audit'],
  'src/node/main.ts': ['pages', 'tls?', 'metricsServer?', 'directory', 'scrub', 'service'],
}

for (const [file, opened] of Object.entries(PROCESSES)) {
  test(`${file} closes all that it opens`, () => {
    const { text } = modules.find((module) => module.file === file)!
    const left = opened.filter(
      (name) => !text.includes(`  ${name}.close()`) && !text.includes(`await ${name}.close()`),
    )
    assert.deepEqual(left, [])
  })
}
