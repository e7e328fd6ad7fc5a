/** Types of draw-machines.pages.mjs, which the script imports as it is. */
import type { AnyStateMachine } from 'xstate'

export declare function pagesOf(
  charts: Readonly<Record<string, AnyStateMachine>>,
  textOf: (law: string) => string,
): Readonly<Record<string, string>>
export declare function diagramOf(chart: AnyStateMachine): string
