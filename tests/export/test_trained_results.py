from tinyml.workspace import read_artifact


def test_every_variant_passes_its_floor(trained_results):
    for name, manifest in trained_results.artifacts.items():
        artifact, path = read_artifact(manifest)
        assert path.exists()
        assert artifact.variant.name == name
        assert artifact.verification is not None
        assert artifact.verification.passed
        v = artifact.verification
        print(name, artifact.bytes, v.top1_agreement, v.psnr_db, v.max_difference, v.artifact.top1, v.runtime)
