/**
 * The program `cohort`: runs the command, and turns an error of the command into a message and an exit code.
 */
import { contextOfProcess } from './context.ts'
import { runProgram } from './program.ts'
import { refuseGarbledArguments } from './raw-arguments.ts'
import { runToEnd } from './run-to-end.ts'

const context = contextOfProcess()
const { exitCode, mustExit } = await runToEnd(context, async () => {
  const args = process.argv.slice(2)
  refuseGarbledArguments(args)
  await runProgram(context, args)
})
process.exitCode = exitCode
if (mustExit) process.exit()
