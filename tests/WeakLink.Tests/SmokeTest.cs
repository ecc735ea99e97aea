namespace WeakLink.Tests; public class SmokeTest { [Fact] public void Adds() => Assert.Equal(2, 1 + 1); }
