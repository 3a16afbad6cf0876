import { createRequire } from 'node:module'

const instrumenter = import.meta.resolve('@stryker-mutator/instrumenter')
const { types } = createRequire(instrumenter)('@babel/core')

// StrykerJS 9 has no way to add an operator, but its list of them is an array: ours joins it. The path is internal,
// which is one reason why the version is pinned.
const { allMutators } = await import(new URL('./mutators/index.js', instrumenter).href)

const isCallOf = (node, name) => types.isCallExpression(node) && types.isIdentifier(node.callee, { name })

/** What a method of a decimal is replaced by; null removes the call. */
const METHODS = {
  plus: ['minus'],
  minus: ['plus'],
  times: ['div'],
  div: ['times'],
  lt: ['lte', 'gte'],
  lte: ['lt', 'gt'],
  gt: ['gte', 'lte'],
  gte: ['gt', 'lt'],
  abs: [null],
  round: [null],
}
/** What a function that rounds, orders or sums decimals is replaced by, where the module knows the other. */
const FUNCTIONS = {
  floorToStep: 'ceilToStep',
  ceilToStep: 'floorToStep',
  min: 'max',
  max: 'min',
  cost: 'money',
  minus: 'sum',
  sum: 'minus',
}

/** `a.lt(b) ? a : b`: of two that are equal either will do. */
const isChoice = ({ object }, [other], parent) =>
  types.isConditionalExpression(parent) &&
  [parent.consequent, parent.alternate].every(
    (node) => types.isNodesEquivalent(node, object) || types.isNodesEquivalent(node, other),
  )

/** Times a direction, +1 or -1, and divided by it is the same. */
const isDirection = (node) =>
  types.isUnaryExpression(node)
    ? isDirection(node.argument)
    : isCallOf(node, 'directionOf') || types.isIdentifier(node, { name: 'direction' })

const decimalMutator = {
  name: 'Decimal',
  *mutate(path) {
    if (!path.isCallExpression()) return
    const { callee, arguments: given } = path.node
    const args = () => given.map((node) => types.cloneNode(node))
    if (types.isIdentifier(callee) && Object.hasOwn(FUNCTIONS, callee.name)) {
      const other = FUNCTIONS[callee.name]
      if (path.scope.hasBinding(other)) yield types.callExpression(types.identifier(other), args())
      else if (other.endsWith('ToStep')) yield args()[0]
    }
    if (!types.isMemberExpression(callee) || callee.computed || !types.isIdentifier(callee.property)) return
    const { name } = callee.property
    if (types.isIdentifier(callee.object, { name: 'Math' }) || !Object.hasOwn(METHODS, name) || isDirection(given[0]))
      return
    for (const other of METHODS[name]) {
      if (other?.startsWith(name.slice(0, 2)) && isChoice(callee, given, path.parent)) continue
      const object = types.cloneNode(callee.object)
      yield other === null
        ? object
        : types.callExpression(types.memberExpression(object, types.identifier(other)), args())
    }
  },
}
if (!allMutators.some(({ name }) => name === decimalMutator.name)) allMutators.push(decimalMutator)

/** `return value satisfies never` */
const isNever = ([statement]) =>
  types.isReturnStatement(statement) &&
  types.isTSSatisfiesExpression(statement.argument) &&
  types.isTSNeverKeyword(statement.argument.typeAnnotation)

/** Classes of mutants that nothing can tell from the original. */
const unobservable = {
  shouldIgnore({ node, parent }) {
    if (
      isCallOf(node, 'invariant') &&
      types.isStringLiteral(node.arguments[1], { value: 'unreachable by the table' })
    ) {
      return 'narrows a type that the transition table has checked already'
    }
    // Reasons are never empty (test/guard/rules.test.ts): an empty one stands where the result is fixed.
    if (types.isStringLiteral(node, { value: '' }) && isCallOf(parent, 'finding'))
      return 'the sentence of a result that this finding cannot have'
    if (types.isSwitchCase(node, { test: null }) && isNever(node.consequent)) return 'a case that the types rule out'
    return undefined
  },
}

export const strykerPlugins = [{ kind: 'Ignore', name: 'unobservable', value: unobservable }]
