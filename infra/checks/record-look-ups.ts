import { type Node, SyntaxKind } from 'typescript/unstable/ast';
import {
  isBinaryExpression,
  isBindingElement,
  isComputedPropertyName,
  isElementAccessExpression,
} from 'typescript/unstable/ast/is';
import {
  API,
  type Checker,
  type Project,
  type Type,
  TypeFlags,
  type UnionType,
} from 'typescript/unstable/sync';

const notTheProducts = /\.test\.ts$|\/(testing|generated|node_modules)\//;

/**
 * Finds where the sources of a project look a text up in an object in a way that also finds inherited members, such as
 * `toString`: `object[text]`, `text in object`, `const { [text]: member } = object`. It uses the compiler's own types,
 * so that indices of lists, and texts that are one of a few literals, are not reported.
 *
 * @param root folder of the project's tsconfig.json
 * @returns `src/a.ts:7 record[name]`
 */
export function inheritingLookUps(roots: readonly string[]): string[] {
  const api = new API();
  try {
    const configs = roots.map((root) => `${root}/tsconfig.json`);
    const snapshot = api.updateSnapshot({ openProjects: configs });
    return roots.flatMap((root, i) => inProject(snapshot.getProject(configs[i]!)!, root));
  } finally {
    api.close();
  }
}

function inProject({ program, checker }: Project, root: string): string[] {
  const files = program
    .getSourceFileNames()
    .filter((file) => file.startsWith(`${root}/src/`) && !notTheProducts.test(file));
  return files.flatMap((file) => {
    const source = program.getSourceFile(file)!;
    const found: string[] = [];
    const visit = (node: Node): void => {
      const name = nameLookedUp(node);
      // Inherited members of `process.env` do not matter: its own members are strings.
      if (
        name &&
        isText(checker.getTypeAtLocation(name), checker) &&
        !/^process\.env\b/.test(node.getText(source))
      ) {
        const line = source.text.slice(0, node.getStart(source)).split('\n').length;
        found.push(`${file.slice(root.length + 1)}:${line} ${node.getText(source).replace(/\s+/g, ' ')}`);
      }
      node.forEachChild(visit);
    };
    visit(source);
    return found;
  });
}

function nameLookedUp(node: Node): Node | undefined {
  if (isElementAccessExpression(node)) return node.argumentExpression;
  if (isBinaryExpression(node) && node.operatorToken.kind === SyntaxKind.InKeyword) return node.left;
  if (isBindingElement(node) && node.propertyName && isComputedPropertyName(node.propertyName))
    return node.propertyName.expression;
  return undefined;
}

const anyText = TypeFlags.String | TypeFlags.TemplateLiteral | TypeFlags.StringMapping | TypeFlags.Any;

function isText(type: Type | undefined, checker: Checker): boolean {
  if (!type) return false;
  if (type.flags & TypeFlags.Union) return (type as UnionType).getTypes().some((one) => isText(one, checker));
  const bound = type.flags & TypeFlags.TypeParameter ? checker.getBaseConstraintOfType(type) : undefined;
  return bound ? isText(bound, checker) : Boolean(type.flags & anyText);
}
