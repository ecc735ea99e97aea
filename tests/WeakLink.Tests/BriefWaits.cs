using System.Runtime.CompilerServices;
using WeakLink.Runtime;

namespace WeakLink.Tests;

internal static class BriefWaits
{
    // As the command does; a busy machine would make some tests ten times slower.
    [ModuleInitializer]
    internal static void KeepBrief() => ThreadWaiting.KeepBrief();
}
